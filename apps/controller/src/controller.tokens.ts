/** What the services are given that is no class: bound in ControllerModule. */
export const CONTROLLER_ENV = Symbol('ControllerEnv');
export const DATABASE = Symbol('Database');
export const ARTIFACT_STORE = Symbol('ArtifactStore');
export const WORKER_ACCESS = Symbol('WorkerAccess');
export const PLATFORM = Symbol('Platform');
