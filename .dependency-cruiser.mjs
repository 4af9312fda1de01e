// The one-way flow as a table: who may import what inside src/. ARCHITECTURE.md tells the story; this is what CI holds it to.
const layers = {
  model: [],
  ports: ['model'],
  spec: ['model'],
  decide: ['model', 'spec'],
  commands: ['model', 'ports', 'spec', 'decide'],
  activities: ['model', 'ports', 'spec', 'decide', 'commands'],
  orchestrations: ['model', 'activities'],
  azure: ['model', 'ports'],
  client: ['model'],
  cli: ['model', 'client', 'spec'],
  docker: ['model', 'ports'],
  local: ['model', 'docker'],
};

const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `layer-${layer}`,
  comment: `src/${layer} imports only ${allowed.length > 0 ? allowed.join(', ') : 'itself'}`,
  severity: 'error',
  from: { path: `^src/${layer}/` },
  to: { path: '^(src|functions|test)/', pathNot: [layer, ...allowed].map((name) => `^src/${name}/`) },
}));

const packages = (name, fromPath, fromNot, toPath, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: fromPath, ...(fromNot && { pathNot: fromNot }) },
  to: { path: toPath },
});

export default {
  forbidden: [
    ...layerRules,
    {
      name: 'orchestrations-see-types-only',
      comment: 'an orchestrator replays: it may know the types of activities, never call their code',
      severity: 'error',
      from: { path: '^src/orchestrations/' },
      to: { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    },
    packages(
      'azure-sdks-in-azure',
      '^(src|functions)/',
      ['^src/azure/', '^src/local/'],
      'node_modules/@azure/(?!functions/)',
      'only src/azure talks to Azure (and src/local, to stand in for it)',
    ),
    packages(
      'durable-in-three-places',
      '^src/',
      ['^src/azure/', '^src/orchestrations/', '^src/local/'],
      'node_modules/durable-functions/',
      'durable-functions is used where instances are driven, walked or registered',
    ),
    packages(
      'decide-is-pure',
      '^src/(decide|orchestrations)/',
      undefined,
      '^(node:)?(fs|net|http|https|dns|os|child_process|timers|worker_threads|perf_hooks)(/|$)',
      'decisions do no I/O',
    ),
    {
      name: 'no-dev-dependencies',
      comment: 'Azure installs production dependencies alone; only the embedded platform may use more',
      severity: 'error',
      from: { path: '^(src|functions)/', pathNot: '^src/local/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
    {
      name: 'wiring-constructs',
      comment: 'src/wiring.ts is the one place that constructs; only functions/ asks it',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/wiring[.]ts$'] },
      to: { path: '^src/wiring[.]ts$' },
    },
    {
      name: 'config-from-wiring',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/wiring[.]ts$'] },
      to: { path: '^src/config[.]ts$' },
    },
    {
      name: 'functions-register-only',
      comment: 'functions/ knows wiring, orchestrations and names',
      severity: 'error',
      from: { path: '^functions/' },
      to: { path: '^src/', pathNot: ['^src/wiring[.]ts$', '^src/orchestrations/', '^src/model/'] },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true, dependencyTypesNot: ['type-only'] } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    exclude: { path: '^(dist|test|tools)/' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'require', 'node', 'default'] },
  },
};
