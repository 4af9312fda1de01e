/**
 * What becomes of every key of a Compose document: the one table. *used* = a rule of ours reads it; *ignored* = it has no effect here and a
 * warning says why; *refused* = without it the app would not be what its author wrote. A key covers everything below it. Keys of the vendored
 * schema that are missing here fail a test; keys of `x-flotilla` that are missing here are unknown to users.
 */

export type Support =
  | {
      readonly use: 'used';
      /** The rule answers for the value as a whole: the keys below it have no rows. */
      readonly asWhole?: true;
      /** What it becomes, for people; only where that is not what Compose says. */
      readonly as?: string;
    }
  | {
      readonly use: 'ignored' | 'refused';
      /** Continues "`key` …". */
      readonly why: string;
      readonly remedy: string;
      /** Values that ask for what happens anyway: accepted in silence. */
      readonly unless?: readonly string[];
      /** Of an ignored key: some of what stands below it must be refused all the same. What is ignored there needs no warning of its own. */
      readonly descend?: true;
    };

const used: Support = { use: 'used' };
const ignored = (why: string, unless: readonly string[] = [], descend = false): Support => ({
  use: 'ignored',
  why: `is ignored: ${why}`,
  remedy: 'Nothing to do; remove the key to silence this warning.',
  unless,
  ...(descend && { descend }),
});
const refused = (why: string, remedy: string, unless: readonly string[] = []): Support => ({
  use: 'refused',
  why: `is not supported: ${why}`,
  remedy,
  unless,
});

const noDelay = 'the next replica follows as soon as the one before has been ready for long enough';
const noDocker = 'container groups run without a Docker daemon';
const kernel = 'Azure Container Instances lets nobody set it; every group has a kernel of its own';
const noHostAccess = 'a container group has no host that containers could share or reach';
const ownGroup = 'Remove it; every replica is isolated in a container group of its own.';
const asResources = 'size the service with `deploy.resources.limits`';
const onlyByCli = 'Send the document that `flotilla config` prints: the CLI resolves this key from files and flags.';
const asUsed = (as: string): Support => ({ use: 'used', as });
const inFile = 'a file that belongs to root, and that every user of the container may read';
const underParent = 'the warning about the key above it says why';
const noContainersToShare = 'each replica mounts its own volumes, and shares them with nobody';
const platformAddress = 'Azure assigns the addresses of container groups';
const notStored = 'values are stored as they are, by Flotilla itself';
const network = 'groups reach each other by address on every declared port; there is one network';

/** Group = path of the object with `*` for names and list positions → its keys. */
export const supportTable: Readonly<Record<string, Readonly<Record<string, Support>>>> = {
  '': {
    name: used,
    services: used,
    'x-flotilla': used,
    version: ignored('the Compose Specification has no versions any more'),
    include: refused('it names files that only the CLI can read', onlyByCli),
    networks: ignored(network, [], true),
    volumes: used,
    secrets: used,
    configs: used,
    models: refused('Flotilla runs no language models', 'Run the model as a service or use a hosted one by its URL.'),
  },
  'x-flotilla': {
    pools: used,
    registries: used,
    protected: used,
    spend: refused('nothing enforces a spending limit yet', 'Remove it and bound the app by `deploy.replicas`.'),
  },
  'x-flotilla.registries.*': { server: used, identity: used, username: used, passwordSecret: used },
  'networks.*': {
    name: ignored(underParent),
    driver: ignored(underParent),
    driver_opts: ignored(underParent),
    ipam: ignored(underParent),
    external: ignored(underParent),
    internal: refused(
      'a service with ports has an address that can be reached from outside its network',
      'Remove it if that is harmless; otherwise place the app in a pool with a private network.',
    ),
    attachable: ignored(underParent),
    enable_ipv4: ignored(underParent),
    enable_ipv6: ignored(underParent),
    labels: ignored(underParent),
  },
  'volumes.*': {
    name: ignored('the volume is known by its share in Azure Files, or has no name outside its replica'),
    driver: asUsed('an Azure file share for `azure_file`; any other is refused'),
    driver_opts: { use: 'used', asWhole: true },
    external: ignored('whether the share exists shows when the container group is created'),
    labels: ignored('labels are not carried onto container groups'),
    'x-flotilla': used,
  },
  'volumes.*.x-flotilla': { azureFile: used, emptyDir: used },
  'volumes.*.x-flotilla.azureFile': { share: used, storageAccount: used, keySecret: used, readOnly: used },
  'secrets.*': {
    file: asUsed('read and stored by the CLI'),
    environment: asUsed('read and stored by the CLI'),
    external: asUsed('the newest value that was stored under the name'),
    name: used,
    driver: refused(notStored, 'Remove it.'),
    driver_opts: refused(notStored, 'Remove it.'),
    template_driver: refused(notStored, 'Remove it.'),
    labels: ignored('nothing reads labels of secrets'),
    'x-flotilla': used,
  },
  'secrets.*.external': { name: used },
  'secrets.*.x-flotilla': { secretRef: used, version: used },
  'configs.*': {
    file: asUsed('read and stored by the CLI'),
    environment: asUsed('read and stored by the CLI'),
    content: asUsed('stored by the CLI'),
    external: asUsed('the newest value that was stored under the name'),
    name: used,
    template_driver: refused(notStored, 'Remove it.'),
    labels: ignored('nothing reads labels of configs'),
    'x-flotilla': used,
  },
  'configs.*.external': { name: used },
  'configs.*.x-flotilla': { secretRef: used, version: used },
  'services.*': {
    image: used,
    command: used,
    entrypoint: used,
    environment: used,
    ports: used,
    expose: used,
    depends_on: used,
    healthcheck: used,
    deploy: used,
    restart: used,
    scale: used,
    cpus: used,
    mem_limit: used,
    mem_reservation: used,
    stop_grace_period: used,
    build: { use: 'used', asWhole: true },
    'x-flotilla': used,

    env_file: refused('it names files that only the CLI can read', onlyByCli),
    profiles: refused('profiles are chosen where the file is read', onlyByCli),
    extends: refused('only the CLI reads what a service extends', onlyByCli),

    secrets: used,
    configs: used,
    volumes: used,
    volumes_from: refused(noContainersToShare, 'Name the same volume in `volumes` of both services.'),
    tmpfs: asUsed('an empty directory of each replica, on disk'),
    models: refused('Flotilla runs no language models', 'Run the model as a service or use a hosted one by its URL.'),
    provider: refused('Flotilla starts container groups only', 'Replace it by a service with an `image`.'),
    working_dir: refused(
      'Azure Container Instances starts a container in the directory its image names',
      'Set WORKDIR in the image, or use `entrypoint: ["/bin/sh", "-c", "cd DIR && exec …"]`.',
    ),
    user: refused('the user of a container is not settable yet', 'Set USER in the image.'),
    privileged: refused('Azure Container Instances runs no privileged containers', 'Run the service elsewhere.'),
    cap_add: refused('Azure Container Instances adds no capabilities', 'Run the service elsewhere.'),
    devices: refused(noHostAccess, 'Run the service elsewhere.'),
    device_cgroup_rules: refused(noHostAccess, 'Run the service elsewhere.'),
    gpus: refused('Azure Container Instances has no GPUs since July 2025', 'Run the service elsewhere.'),
    use_api_socket: refused(noDocker, 'Remove it; a container cannot control its engine here.'),
    credential_spec: refused('container groups run Linux', 'Run the service elsewhere.'),
    network_mode: refused(noHostAccess, 'Remove it; declare the ports that the service listens on.', [
      'bridge',
      'default',
    ]),
    pid: refused(noHostAccess, ownGroup, ['private']),
    ipc: refused(noHostAccess, ownGroup, ['private', 'none', 'shareable']),
    uts: refused(noHostAccess, ownGroup),
    userns_mode: refused(noHostAccess, ownGroup),
    cgroup: refused(noHostAccess, ownGroup, ['private']),
    cgroup_parent: refused(noHostAccess, ownGroup),
    extra_hosts: refused('names cannot be added to a container', 'Pass addresses in `environment`, or use a DNS name.'),
    dns: refused('name servers cannot be chosen yet', 'Remove it; the network of the pool decides.'),
    dns_opt: refused('resolver options cannot be chosen yet', 'Remove it; the network of the pool decides.'),
    dns_search: refused('search domains cannot be chosen yet', 'Remove it and write full names.'),
    external_links: refused('there are no containers outside the app to link to', 'Pass the address in `environment`.'),
    platform: refused('container groups are linux/amd64', 'Build the image for linux/amd64.', ['linux/amd64', 'linux']),
    isolation: refused('container groups are linux/amd64', ownGroup, ['default']),
    pull_policy: refused(
      'every new container group pulls its image from the registry',
      'Remove it; to get a newer image, change the tag.',
      ['always', 'missing', 'if_not_present'],
    ),
    post_start: refused('hooks are not run yet', 'Do the work at the start of the container’s own command.'),
    pre_stop: refused('hooks are not run yet', 'Handle SIGTERM in the container’s own process.'),
    sysctls: refused(kernel, 'Remove it, or run the service elsewhere.'),

    annotations: ignored('nothing reads annotations'),
    attach: ignored('`flotilla up` attaches to no output'),
    blkio_config: ignored(kernel),
    cap_drop: ignored('Azure Container Instances sets the capabilities'),
    container_name: ignored('every replica gets a group name of its own, so that names never serve two incarnations'),
    cpu_count: ignored(`${kernel}; ${asResources}`),
    cpu_percent: ignored(`${kernel}; ${asResources}`),
    cpu_shares: ignored(`${kernel}; ${asResources}`),
    cpu_quota: ignored(`${kernel}; ${asResources}`),
    cpu_period: ignored(`${kernel}; ${asResources}`),
    cpu_rt_period: ignored(`${kernel}; ${asResources}`),
    cpu_rt_runtime: ignored(`${kernel}; ${asResources}`),
    cpuset: ignored(`${kernel}; ${asResources}`),
    develop: ignored('it serves `docker compose watch`'),
    domainname: ignored('Azure names the host of a container'),
    group_add: ignored('Azure Container Instances takes the groups from the image'),
    hostname: ignored('Azure names the host of a container'),
    init: ignored('Azure Container Instances starts the command as it is'),
    label_file: ignored('labels are not carried onto container groups'),
    labels: ignored('labels are not carried onto container groups'),
    links: ignored(network),
    logging: ignored('Azure Container Instances keeps the last 4 MB of output'),
    mac_address: ignored('Azure assigns the network card'),
    mem_swappiness: ignored(kernel),
    memswap_limit: ignored('container groups have no swap'),
    networks: ignored(network, ['default'], true),
    oom_kill_disable: ignored(kernel),
    oom_score_adj: ignored(kernel),
    pids_limit: ignored(kernel),
    pull_refresh_after: ignored('every new container group pulls its image'),
    read_only: ignored('Azure Container Instances mounts the file system writable'),
    runtime: ignored('Azure chooses the runtime'),
    security_opt: ignored('every group runs in a sandbox of its own, which takes no options', [
      'no-new-privileges:true',
    ]),
    shm_size: ignored(kernel),
    stdin_open: ignored('nobody is at the other end'),
    stop_signal: ignored('Azure Container Instances sends SIGTERM'),
    storage_opt: ignored('there is no storage driver to choose'),
    tty: ignored('nobody is at the other end'),
    ulimits: ignored(kernel),
  },
  'services.*.secrets.*': {
    source: used,
    target: used,
    uid: asUsed(inFile),
    gid: asUsed(inFile),
    mode: asUsed(inFile),
  },
  'services.*.configs.*': {
    source: used,
    target: used,
    uid: asUsed(inFile),
    gid: asUsed(inFile),
    mode: asUsed(inFile),
  },
  'services.*.volumes.*': {
    type: asUsed('`volume` and `tmpfs`; any other is refused'),
    source: used,
    target: used,
    read_only: used,
    consistency: ignored('there is one kind of consistency'),
    bind: { use: 'used', asWhole: true, as: 'nothing: bind mounts are refused' },
    volume: used,
    tmpfs: used,
    image: { use: 'used', asWhole: true, as: 'nothing: image mounts are refused' },
  },
  'services.*.volumes.*.volume': {
    labels: ignored('labels are not carried onto container groups'),
    nocopy: ignored('nothing is ever copied from the image into a volume', ['true']),
    subpath: asUsed('nothing: a part of a volume is refused'),
  },
  'services.*.volumes.*.tmpfs': {
    size: ignored('an empty directory has no size of its own'),
    mode: ignored('an empty directory belongs to root'),
  },
  'services.*.networks.*': {
    aliases: refused(
      'nothing resolves other names of a service',
      'Remove it, and let clients use the name of the service.',
    ),
    ipv4_address: refused(platformAddress, 'Remove it, and let clients use the name of the service.'),
    ipv6_address: refused(platformAddress, 'Remove it, and let clients use the name of the service.'),
    link_local_ips: refused(platformAddress, 'Remove it.'),
    interface_name: ignored(underParent),
    mac_address: ignored(underParent),
    driver_opts: ignored(underParent),
    priority: ignored(underParent),
    gw_priority: ignored(underParent),
  },
  'services.*.deploy': {
    replicas: used,
    resources: used,
    restart_policy: used,
    mode: refused('only `replicated` exists yet', 'Use `mode: replicated` and state `replicas`.', ['replicated']),
    endpoint_mode: ignored('there is no virtual IP; clients see the replicas themselves', ['dnsrr']),
    labels: ignored('labels are not carried onto container groups'),
    placement: used,
    update_config: used,
    rollback_config: used,
  },
  'services.*.deploy.update_config': {
    parallelism: used,
    order: used,
    delay: ignored(noDelay),
    failure_action: used,
    monitor: used,
    max_failure_ratio: used,
  },
  'services.*.deploy.rollback_config': {
    parallelism: used,
    order: used,
    delay: ignored(noDelay),
    failure_action: ignored('a rollback is never rolled back: one that fails is paused', ['pause']),
    monitor: used,
    max_failure_ratio: used,
  },
  'services.*.deploy.placement': {
    constraints: used,
    preferences: used,
    max_replicas_per_node: ignored('every replica has a container group of its own'),
  },
  'services.*.deploy.placement.preferences.*': { spread: used },
  'services.*.deploy.resources': { limits: used, reservations: used },
  'services.*.deploy.resources.limits': { cpus: used, memory: used, pids: ignored(kernel) },
  'services.*.deploy.resources.reservations': {
    cpus: used,
    memory: used,
    generic_resources: refused('pools have CPU and memory only', 'Remove it, or run the service elsewhere.'),
    devices: refused('Azure Container Instances has no GPUs since July 2025', 'Run the service elsewhere.'),
  },
  'services.*.deploy.restart_policy': {
    condition: used,
    delay: ignored('Azure Container Instances restarts with a back-off of its own'),
    max_attempts: ignored('Azure Container Instances restarts without a limit'),
    window: ignored('Azure Container Instances restarts with a back-off of its own'),
  },
  'services.*.healthcheck': {
    test: used,
    interval: used,
    timeout: used,
    retries: used,
    start_period: used,
    disable: used,
    start_interval: ignored('Azure Container Instances probes at one interval'),
  },
  'services.*.depends_on.*': {
    condition: used,
    required: used,
    restart: ignored('dependants are not restarted; they should reconnect'),
  },
  'services.*.ports.*': {
    target: used,
    published: used,
    protocol: used,
    host_ip: used,
    name: ignored('it documents the port only'),
    app_protocol: ignored('it documents the port only'),
    mode: ignored('every replica listens at an address of its own', ['ingress', 'host']),
  },
  'services.*.x-flotilla': {
    probes: used,
    scale: ignored('not used yet; the number of replicas is `deploy.replicas`'),
    rollout: used,
    disruption: ignored('not used yet; nothing is moved voluntarily'),
    spread: used,
    affinity: used,
    antiAffinity: used,
    minNonSpot: ignored('there are no Spot pools yet'),
    secretEnvironment: used,
    colocateWith: asUsed(
      'an init container of a service that waits for it with `service_completed_successfully`; else refused',
    ),
    identity: refused(
      'exclusive slots are not kept yet: two incarnations of a slot may overlap',
      'Remove it if that is harmless, or run one replica of a database outside the app.',
    ),
  },
  'services.*.x-flotilla.rollout': {
    strategy: used,
    maxSurge: used,
    maxUnavailable: used,
    steps: used,
    gate: used,
    bake: used,
    minReady: used,
    progressDeadline: used,
    whenNoSurge: used,
  },
  'services.*.x-flotilla.rollout.steps.*': { replicas: used, weight: used, bake: used, gate: used },
  'services.*.x-flotilla.spread.*': { topology: used, maxSkew: used, required: used },
  'services.*.x-flotilla.affinity.*': { service: used, topology: used, required: used, weight: used },
  'services.*.x-flotilla.antiAffinity.*': { service: used, topology: used, required: used, weight: used },
  'services.*.x-flotilla.probes': { readiness: used },
  'services.*.x-flotilla.probes.readiness': { http: used, tcp: used, timeout: used },
  'services.*.x-flotilla.probes.readiness.http': {
    path: used,
    port: used,
    scheme: used,
    status: used,
    headers: { use: 'used', asWhole: true },
    body: used,
  },
  'services.*.x-flotilla.probes.readiness.tcp': { port: used },
};
