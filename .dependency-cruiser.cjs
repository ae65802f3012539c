// Who may import whom: ARCHITECTURE.md says why.
const spec = '(\\.spec\\.ts$|/testing/)';

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'A cycle has no order to read it in.', from: { pathNot: '/generated/' }, to: { circular: true } },
    { name: 'no-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    { name: 'libs-not-to-apps', severity: 'error', comment: 'Apps use libs, never the reverse.', from: { path: '^libs/', pathNot: spec }, to: { path: '^apps/' } },
    {
      name: 'apps-not-to-apps',
      severity: 'error',
      comment: 'Apps are separate processes. The command line starts others by their path, without importing them.',
      from: { path: '^apps/([^/]+)/', pathNot: spec },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'contracts-only-zod',
      severity: 'error',
      from: { path: '^libs/contracts/src/', pathNot: spec },
      to: { pathNot: ['^libs/contracts/src/', '^node_modules/(@types/)?zod/'] },
    },
    {
      name: 'reconciler-is-pure',
      severity: 'error',
      comment: 'No clock, network, random or framework: time is an argument, the rest is behind its ports. Hashing is pure.',
      from: { path: '^libs/reconciler/src/', pathNot: spec },
      to: { pathNot: ['^libs/reconciler/src/', '^libs/contracts/src/', '^(node:)?crypto$'] },
    },
    { name: 'local-not-to-kubernetes', severity: 'error', from: { path: '^libs/local/' }, to: { path: ['^libs/kubernetes/', '^node_modules/@kubernetes/'] } },
    { name: 'kubernetes-not-to-local', severity: 'error', from: { path: '^libs/kubernetes/' }, to: { path: '^libs/local/' } },
    {
      name: 'worker-stays-outside',
      severity: 'error',
      comment: 'A worker speaks through artifacts and HTTP reports: it holds no password and no rights.',
      from: { path: '^apps/worker/', pathNot: spec },
      to: { path: ['^libs/(reconciler|local|kubernetes|database)/', '^node_modules/(pg|@prisma|@kubernetes)/'] },
    },
    {
      name: 'prisma-stays-in-database',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: '^libs/database/' },
      to: { path: ['^node_modules/@?prisma/', '^libs/database/src/generated/'] },
    },
    {
      name: 'libs-by-their-index',
      severity: 'error',
      comment: "What a lib's index does not export is its own. The presets are numbers, read without loading TensorFlow; test material is shared by its path.",
      from: { path: '^(apps|libs)/([^/]+)/', pathNot: spec },
      to: { path: '^libs/', pathNot: ['^libs/$2/', '^libs/[^/]+/src/(postgres/)?index\\.ts$', '^libs/models/src/presets\\.ts$', '/testing/'] },
    },
    {
      name: 'nest-only-in-apps',
      severity: 'error',
      comment: 'Libs are plain classes and functions: they are used without a container, and tested so.',
      from: { path: '^libs/', pathNot: ['\\.module\\.ts$', spec] },
      to: { path: '^node_modules/@nestjs/' },
    },
    {
      name: 'tensorflow-only-in-models-and-its-users',
      severity: 'error',
      comment: 'Preparing data and crawling do not pay for loading TensorFlow.',
      from: { path: '^libs/(?!models/|metrics/)', pathNot: spec },
      to: { path: '^node_modules/@tensorflow/' },
    },
    {
      name: 'no-test-material-in-the-product',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: spec },
      to: { path: ['/testing/', '\\.spec\\.ts$'] },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: ['node_modules', '/generated/'] },
    exclude: { path: ['^dist/', '^apps/web/', '^libs/portraits/tmp/'] },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default', 'types'], extensions: ['.ts', '.mjs', '.js', '.json'] },
  },
};
