export * from './artifact-store.port.js';
export * from './artifact.error.js';
export { ARTIFACT_MARKER, artifactObject, artifactPrefix, digestOfFiles, type Artifact, type ArtifactFile, type ArtifactRef } from './artifact.js';
export { createArtifactStore, type ArtifactStoreOptions } from './create-artifact-store.js';
export { digestOfFile, sha256 } from './digest.js';
export { materializeArtifact } from './materialize-artifact.js';
export { findArtifact, getArtifact, publishArtifact, removeArtifact, type Publication } from './publish-artifact.js';
export type { S3Options } from './s3/s3-artifact.store.js';
export { createWorkArea, type WorkArea } from './work-area.js';
