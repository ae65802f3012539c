"""A minimal operator for TrainingRuns on kopf, to be measured beside the controller.

For every new run it makes the same Job by server-side apply, writes the same status and tells the same events. It has no database, no
stages after the first, and no HTTP API. WORK names the file that says what is written for a run.
"""
import datetime
import json
import logging
import os

import kopf
import kubernetes_asyncio

GROUP, VERSION, PLURAL = 'caricature.dev', 'v1alpha1', 'trainingruns'
FIELD_MANAGER = 'operator-kopf'
MANAGED_BY = {'app.kubernetes.io/managed-by': 'caricature'}


@kopf.on.startup()
async def prepare(settings: kopf.OperatorSettings, memo: kopf.Memo, **_):
    # Lines for each run would only slow it down.
    logging.getLogger('kopf.objects').setLevel(logging.WARNING)
    settings.scanning.disabled = True
    with open(os.environ['WORK'], encoding='utf-8') as file:
        work = json.load(file)
    memo.job, memo.status, memo.events = json.dumps(work['job']), json.dumps(work['status']), work['events']
    await kubernetes_asyncio.config.load_kube_config()
    memo.batch = kubernetes_asyncio.client.BatchV1Api(kubernetes_asyncio.client.ApiClient())


@kopf.on.cleanup()
async def close(memo: kopf.Memo, **_):
    await memo.batch.api_client.close()


@kopf.on.resume(GROUP, VERSION, PLURAL)
@kopf.on.create(GROUP, VERSION, PLURAL)
@kopf.on.update(GROUP, VERSION, PLURAL, field='spec')
async def reconcile(body, name, namespace, uid, memo: kopf.Memo, patch, **_):
    def fill(template):
        now = datetime.datetime.now(datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%f')[:-3] + 'Z'
        for key, value in (('name', name), ('namespace', namespace), ('uid', uid), ('now', now)):
            template = template.replace('{{%s}}' % key, value)
        return json.loads(template)

    job = fill(memo.job)
    # The answer is left as it is: making a model of it would take longer than the request.
    response = await memo.batch.patch_namespaced_job(
        job['metadata']['name'], namespace, job, field_manager=FIELD_MANAGER,
        _content_type='application/apply-patch+yaml', _preload_content=False)
    response.raise_for_status()
    response.release()
    for event in memo.events:
        kopf.event(body, type=event['type'], reason=event['reason'], message=event['message'])
    patch.status.update(fill(memo.status))


@kopf.on.event('batch', 'v1', 'jobs', labels=MANAGED_BY)
async def heed(**_):
    """The Jobs are followed, as an operator with further stages has to."""
