import { JobRefusedError } from '@caricature/reconciler';
import { isKubernetesError, type KubernetesError } from '../client/kubernetes.error.js';

/** An answer that says that this Job cannot be made now; undefined for any other failure. */
export function refusalOf(error: unknown, namespace: string): JobRefusedError | undefined {
  if (!isKubernetesError(error)) return undefined;
  const refused = (reason: JobRefusedError['reason'], message: string) => new JobRefusedError(reason, message, { cause: error });
  if (isTerminating(error)) return refused('NamespaceTerminating', `namespace ${namespace} is being deleted: nothing new is started in it`);
  if (error.code === 'Forbidden' && /exceeded quota/.test(error.message)) return refused('QuotaExceeded', `${error.message.replace(/: grant the .*$/, '')}: raise the quota or wait until others are done`);
  if (error.code === 'Forbidden') return refused('JobRefused', error.message);
  if (error.code === 'Invalid' || error.code === 'BadRequest') return refused('JobRefused', `the API server does not take the Job: ${error.message}`);
  if (error.code === 'NotFound') return refused('JobRefused', `namespace ${namespace} is gone`);
  return undefined;
}

function isTerminating(error: KubernetesError): boolean {
  return error.code === 'Forbidden' && (error.details.causes?.some((c) => c.reason === 'NamespaceTerminating') || /being terminated/.test(error.message));
}
