export * from './choice.js';
export * from './collection.error.js';
export * from './collection.js';
export * from './crop.js';
export * from './detector.js';
export * from './photo.error.js';
export * from './photo.js';
export * from './prepare.js';
