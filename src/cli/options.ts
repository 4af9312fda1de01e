/** The options of all commands, each described once. */

export interface Option {
  readonly name: string;
  readonly short?: string;
  /** What the value is, as help shows it; without it the option is a flag. */
  readonly value?: string;
  /** May be given again. */
  readonly multiple?: true;
  readonly help: string;
}

const file: readonly Option[] = [
  {
    name: 'file',
    short: 'f',
    value: 'FILE',
    multiple: true,
    help: 'Compose file; `-` reads standard input. May be repeated: each is merged over those before it (default: compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml here or above, and compose.override.yaml beside it)',
  },
  { name: 'name', value: 'NAME', help: "name of the app (default: `name:` of the file, then its directory's)" },
  {
    name: 'profile',
    value: 'NAME',
    multiple: true,
    help: 'enable a profile; may be repeated (default: COMPOSE_PROFILES)',
  },
];

const wait: readonly Option[] = [
  { name: 'detach', short: 'd', help: 'do not wait' },
  {
    name: 'timeout',
    value: 'TIME',
    help: 'stop waiting after this long, such as 90s or 5m; the operation goes on (default: after 10m without news)',
  },
];

const api: readonly Option[] = [
  {
    name: 'api',
    value: 'URL',
    help: 'address of the API (default: FLOTILLA_API, then the context in use, then http://127.0.0.1:7071)',
  },
  { name: 'context', value: 'NAME', help: 'use this context once' },
];

const json = (help: string): Option => ({ name: 'json', help });

export const options = {
  file,
  wait,
  api,
  json: json("the API's resource as JSON"),
  jsonLines: json('one JSON object per line'),
  jsonAtEnd: json('one JSON object at the end instead of lines'),
  jsonNotYaml: json('JSON instead of YAML'),
  help: { name: 'help', short: 'h', help: 'this text' },
  follow: { name: 'follow', short: 'f', help: 'go on as things happen, until Ctrl-C' },
  limit: {
    name: 'limit',
    short: 'n',
    value: 'N',
    help: 'how many of the newest to begin with, 1 to 500 (default 50)',
  },
  url: { name: 'url', value: 'URL', help: 'address of the API, for `add`' },
  key: { name: 'key', value: '-', help: 'for `add`: read a function key of the app from standard input' },
  client: { name: 'client', help: 'of this program only; nobody is asked' },
  plan: {
    name: 'plan',
    value: 'ID',
    help: 'apply exactly what `plan` showed under this id; refused if the app, its replicas, the file or the pools have changed since',
  },
  exitCode: { name: 'exit-code', help: 'end with 6 if there is anything to change, for scripts' },
  followLogs: { name: 'follow', short: 'f', help: 'go on as lines come, until Ctrl-C' },
  tail: {
    name: 'tail',
    short: 'n',
    value: 'N',
    help: 'how many of the last lines of each replica, 1 to 5000 (default 100)',
  },
  since: {
    name: 'since',
    value: 'WHEN',
    help: 'only lines from then on, of those that --tail gives: 10m ago, or an instant such as 2026-11-24T12:00:00Z',
  },
  timestamps: { name: 'timestamps', short: 't', help: 'begin each line with its instant' },
  container: { name: 'container', short: 'c', value: 'NAME', help: 'container of the group (default: the service)' },
  yes: {
    name: 'yes',
    value: 'APP',
    help: "the app's name once more: confirms that a protected app may go",
  },
  secretFile: {
    name: 'file',
    short: 'f',
    value: 'FILE',
    help: 'file that holds the value, byte for byte (default: standard input)',
  },
  watch: { name: 'watch', short: 'w', help: 'with `status`: go on until nothing is under way any more' },
  to: { name: 'to', value: 'REV', help: 'with `undo`: the revision to go to (default: the verified one before)' },
  env: {
    name: 'env',
    short: 'e',
    value: 'K=V',
    multiple: true,
    help: 'variable over those of the service; `K` alone takes the value from here. It is kept in the table: give secrets to the service. May be repeated',
  },
  runName: { name: 'name', value: 'NAME', help: 'what to call the run in lists; a-z, 0-9 and -' },
  runDetach: { name: 'detach', short: 'd', help: 'do not wait; print the id of the run' },
  runTimeout: {
    name: 'timeout',
    value: 'TIME',
    help: 'end it after this long, such as 90s or 2h, at most 24h (default 1h)',
  },
  rm: { name: 'rm', help: 'the default: nothing of a run stays but its record and its log' },
  run: { name: 'run', value: 'N', help: 'of this run of the service, also when it is over' },
  cancel: { name: 'cancel', value: 'ID', help: 'end this run, such as web.7' },
  previous: { name: 'previous', short: 'p', help: 'the last replica of the slot that is gone' },
} as const satisfies Readonly<Record<string, Option | readonly Option[]>>;
