/** What the services are given that is no class: bound in ControllerModule. */
export const CONTROLLER_ENV = Symbol('ControllerEnv');
export const DATABASE = Symbol('Database');
export const ARTIFACT_STORE = Symbol('ArtifactStore');
export const POD_DRIVER = Symbol('PodDriver');
export const WORKER_ACCESS = Symbol('WorkerAccess');
export const RESOURCE_STORE = Symbol('ResourceStore');
export const RECONCILER = Symbol('Reconciler');
