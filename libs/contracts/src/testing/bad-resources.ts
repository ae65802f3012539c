type Spec = Record<string, unknown>;

const aCrawlJob = (spec: Spec = {}, name = 'avatars') => ({
  apiVersion: 'caricature.dev/v1alpha1',
  kind: 'CrawlJob' as const,
  metadata: { name },
  spec: { source: { baseUrl: 'http://127.0.0.1:3200' }, sampling: { count: 10 }, ...spec },
});

const aTrainingRun = (spec: Spec = {}, name = 'faces') => ({
  apiVersion: 'caricature.dev/v1alpha1',
  kind: 'TrainingRun' as const,
  metadata: { name },
  spec: { source: { photos: { uri: 'file:///photos' } }, target: { crawlJobRef: { name: 'avatars' } }, ...spec },
});

export interface BadResource {
  title: string;
  document: { apiVersion: string; kind: 'CrawlJob' | 'TrainingRun'; metadata: { name: string }; spec: Spec };
  /** What is wrong, as kubectl writes it. */
  field: string;
  /** The words of a rule of ours; what a type or a range says is in each checker's own words. */
  message?: string;
}

const source = (values: Spec) => aCrawlJob({ source: { baseUrl: 'http://h', ...values } });
const NO_FOLDER = 'a folder is given with its whole path (file:///…), where %25 stands for a percent sign and %2F may not be';

/** Resources that both `parseResource` and an API server with our definitions must refuse, naming the same field. */
export const BAD_RESOURCES: BadResource[] = [
  { title: 'an unknown field', document: aCrawlJob({ speed: 3 }), field: 'spec.speed' },
  { title: 'an unknown field further down', document: aCrawlJob({ politeness: { rps: 3 } }), field: 'spec.politeness.rps' },
  { title: 'no source', document: aCrawlJob({ source: undefined }), field: 'spec.source' },
  { title: 'no count', document: aCrawlJob({ sampling: {} }), field: 'spec.sampling.count' },
  { title: 'a count of nought', document: aCrawlJob({ sampling: { count: 0 } }), field: 'spec.sampling.count' },
  { title: 'too great a count', document: aCrawlJob({ sampling: { count: 100_000_001 } }), field: 'spec.sampling.count' },
  { title: 'a count that is a word', document: aCrawlJob({ sampling: { count: 'many' } }), field: 'spec.sampling.count' },
  { title: 'a count that is no integer', document: aCrawlJob({ sampling: { count: 1.5 } }), field: 'spec.sampling.count' },
  { title: 'an address that is none', document: aCrawlJob({ source: { baseUrl: 'nowhere' } }), field: 'spec.source.baseUrl' },
  { title: 'a file as the avatar source', document: aCrawlJob({ source: { baseUrl: 'file:///etc/passwd' } }), field: 'spec.source.baseUrl' },
  { title: 'an API that nobody knows', document: source({ api: 'Future' }), field: 'spec.source.api' },
  { title: 'a library that nobody knows', document: source({ library: 'memoji' }), field: 'spec.source.library' },
  { title: 'the old API without a template', document: source({ api: 'Legacy' }), field: 'spec.source.template', message: 'is needed by the Legacy API' },
  { title: 'two catalogs', document: source({ catalog: { url: 'http://h/c', inline: { categories: [{ key: 'hair', options: [{ value: 1 }] }] } } }), field: 'spec.source.catalog', message: 'exactly one of url, inline and discover must be set' },
  { title: 'no catalog in its place', document: source({ catalog: {} }), field: 'spec.source.catalog', message: 'exactly one of url, inline and discover must be set' },
  { title: 'a catalog of nothing', document: source({ catalog: { inline: { categories: [] } } }), field: 'spec.source.catalog.inline.categories' },
  { title: 'discovery from nowhere', document: source({ catalog: { discover: { hair: { from: 1, to: 2 } } } }), field: 'spec.source.knownGood', message: 'is needed to discover a catalog' },
  { title: 'a range upside down', document: source({ knownGood: { hair: 1 }, catalog: { discover: { hair: { from: 3, to: 2 } } } }), field: 'spec.source.catalog.discover.hair.to', message: 'to must not be below from' },
  { title: 'images larger than any avatar', document: aCrawlJob({ image: { width: 4096 } }), field: 'spec.image.width' },
  { title: 'a rate of nought', document: aCrawlJob({ politeness: { requestsPerSecond: 0 } }), field: 'spec.politeness.requestsPerSecond' },
  { title: 'a data set with a bad name', document: aCrawlJob({ output: { dataset: 'My Data' } }), field: 'spec.output.dataset' },
  { title: 'a deletion policy that nobody knows', document: aCrawlJob({ deletionPolicy: 'Orphan' }), field: 'spec.deletionPolicy' },
  { title: 'more processes than may be', document: aCrawlJob({ parallelism: 65 }), field: 'spec.parallelism' },
  { title: 'a toleration of an unknown effect', document: aCrawlJob({ tolerations: [{ effect: 'Never' }] }), field: 'spec.tolerations[0].effect' },
  { title: 'a bad name', document: aCrawlJob({}, 'Faces!'), field: 'metadata.name' },
  { title: 'a name that is too long for its Jobs', document: aTrainingRun({}, 'a'.repeat(41)), field: 'metadata.name' },
  { title: 'no target', document: aTrainingRun({ target: undefined }), field: 'spec.target', message: 'is needed by this architecture' },
  { title: 'two targets', document: aTrainingRun({ target: { crawlJobRef: { name: 'a' }, dataset: 'd' } }), field: 'spec.target', message: 'exactly one of crawlJobRef, images and dataset must be set' },
  { title: 'photos and a data set', document: aTrainingRun({ source: { dataset: 'd', photos: { uri: 'file:///p' } } }), field: 'spec.source', message: 'exactly one of photos and dataset must be set' },
  { title: 'neither photos nor a data set', document: aTrainingRun({ source: {} }), field: 'spec.source', message: 'exactly one of photos and dataset must be set' },
  { title: 'photos on another machine', document: aTrainingRun({ source: { photos: { uri: 'file://photos/faces' } } }), field: 'spec.source.photos.uri', message: NO_FOLDER },
  { title: 'photos in a folder without its whole path', document: aTrainingRun({ source: { photos: { uri: 'file:photos' } } }), field: 'spec.source.photos.uri', message: NO_FOLDER },
  { title: 'photos in a folder with a slash in its name', document: aTrainingRun({ source: { photos: { uri: 'file:///photos%2Ffaces' } } }), field: 'spec.source.photos.uri', message: NO_FOLDER },
  { title: 'photos in a folder whose name is encoded wrongly', document: aTrainingRun({ source: { photos: { uri: 'file:///100%' } } }), field: 'spec.source.photos.uri', message: NO_FOLDER },
  { title: 'pictures on another machine', document: aTrainingRun({ target: { images: { uri: 'file://pictures' } } }), field: 'spec.target.images.uri', message: NO_FOLDER },
  { title: 'a learning rate of nought', document: aTrainingRun({ train: { learningRate: 0 } }), field: 'spec.train.learningRate' },
  { title: 'a learning rate as text', document: aTrainingRun({ train: { learningRate: '1e-3' } }), field: 'spec.train.learningRate' },
  { title: 'a batch of one', document: aTrainingRun({ train: { batchSize: 1 } }), field: 'spec.train.batchSize' },
  { title: 'an unknown preset', document: aTrainingRun({ model: { preset: 'huge' } }), field: 'spec.model.preset' },
  { title: 'a size that its networks cannot halve', document: aTrainingRun({ model: { imageSize: 72 } }), field: 'spec.model.imageSize', message: 'must be a multiple of 16 for the preset faces-64 and of 8 for the others: the networks halve the image that often' },
  { title: 'Joint for an architecture without f', document: aTrainingRun({ model: { architecture: 'CycleGAN' }, train: { mode: 'Joint' } }), field: 'spec.train.mode', message: 'Joint trains f along with the DTN: only the architecture DTN has one' },
  { title: "another architecture's weights", document: aTrainingRun({ train: { weights: { l1: 1 } } }), field: 'spec.train.weights', message: 'DTN takes gan, const, tid and tv; Pix2Pix takes gan and l1; CycleGAN takes gan, cycle and identity' },
  { title: 'a Classifier that is to be served', document: aTrainingRun({ model: { architecture: 'Classifier' }, publish: { model: 'm' } }), field: 'spec.publish', message: 'a Classifier draws nothing that could be served: leave it out' },
  { title: 'an alias with capitals', document: aTrainingRun({ publish: { model: 'm', alias: 'Production' } }), field: 'spec.publish.alias' },
  { title: 'a seed below nought', document: aTrainingRun({ seed: -1 }), field: 'spec.seed' },
  { title: 'a suspend that is a word', document: aTrainingRun({ suspend: 'yes' }), field: 'spec.suspend' },
  { title: 'an unknown resource setting', document: aTrainingRun({ resources: { claims: [] } }), field: 'spec.resources.claims' },
  { title: 'a deadline of nought', document: aTrainingRun({ activeDeadlineSeconds: 0 }), field: 'spec.activeDeadlineSeconds' },
];

export interface ForbiddenChange {
  title: string;
  before: BadResource['document'];
  after: BadResource['document'];
  /** Every field that may not change and did. */
  fields: string[];
}

const change = (title: string, make: typeof aCrawlJob | typeof aTrainingRun, before: Spec, after: Spec, fields: string[]): ForbiddenChange => ({ title, before: make(before), after: make(after), fields });

/** Changes of a resource's spec, and what of them neither `immutableChanges` nor an API server lets through. */
export const CHANGES: ForbiddenChange[] = [
  change('suspended', aTrainingRun, {}, { suspend: true }, []),
  change('with another time to live', aCrawlJob, { ttlSecondsAfterFinished: 5 }, {}, []),
  change('with another deletion policy', aTrainingRun, {}, { deletionPolicy: 'Delete' }, []),
  change('with another alias', aTrainingRun, { publish: { model: 'm' } }, { publish: { model: 'm', alias: 'production' } }, []),
  change('with another seed', aTrainingRun, {}, { seed: 2 }, ['spec.seed']),
  change('with other steps and another seed', aTrainingRun, { train: { steps: 5 } }, { train: { steps: 7 }, seed: 3 }, ['spec.seed', 'spec.train.steps']),
  change('with steps where none were', aTrainingRun, {}, { train: { steps: 7 } }, ['spec.train.steps']),
  change('with a queue where none was', aTrainingRun, {}, { queueName: 'gpus' }, ['spec.queueName']),
  change('without its deadline', aCrawlJob, { activeDeadlineSeconds: 60 }, {}, ['spec.activeDeadlineSeconds']),
  change('published where it was not', aTrainingRun, {}, { publish: { model: 'm' } }, ['spec.publish.model']),
  change('published as another model', aTrainingRun, { publish: { model: 'm' } }, { publish: { model: 'n' } }, ['spec.publish.model']),
  change('with another target', aTrainingRun, {}, { target: { dataset: 'd' } }, ['spec.target.crawlJobRef.name', 'spec.target.dataset']),
  change('with another address', aCrawlJob, {}, { source: { baseUrl: 'http://elsewhere' } }, ['spec.source.baseUrl']),
];
