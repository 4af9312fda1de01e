/**
 * Every command of `flotilla` as data: what it takes, what it does, and examples. Parsing, help, completion and docs/cli.md follow from this table, so that
 * none of them can know a command or an option that the others do not.
 */
import { type Option, options } from './options.ts';

/** What an operand is, for parsing errors and completion. */
export type OperandKind =
  | 'app'
  | 'target'
  | 'replicas'
  | 'word'
  /** A program and its arguments: everything from there on, the last operand. */
  | 'program';

export interface Operand {
  /** As help shows it: `APP`, `APP.SERVICE[.SLOT]`. */
  readonly name: string;
  readonly kind: OperandKind;
  readonly optional?: true;
  readonly many?: true;
  /** All words that it may be. */
  readonly words?: readonly string[];
}

export interface Example {
  readonly line: string;
  /** Lower case, without a full stop. */
  readonly does: string;
}

export interface CommandSpec {
  readonly operands: readonly Operand[];
  /** One line of the overview. */
  readonly summary: string;
  /** Paragraphs of the help. */
  readonly about: readonly string[];
  readonly options: readonly Option[];
  readonly examples: readonly Example[];
}

const { file, wait, api, json, jsonLines, jsonAtEnd, help } = options;
const app: Operand = { name: 'APP', kind: 'app' };
const services: readonly Operand[] = [{ name: 'APP[.SERVICE]', kind: 'target', many: true }];
const maybeApp: Operand = { ...app, optional: true };

export const commandTable = {
  up: {
    operands: [],
    summary: 'make the app what its Compose file says, and wait until it is',
    about: [
      'Makes the app what its Compose file says: shows what will change, applies it, and waits until every replica is ready. Services that are not in the file any more are torn down. Ctrl-C stops waiting, not the operation.',
    ],
    options: [...file, options.plan, ...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla up', does: 'the Compose file here or above' },
      { line: 'flotilla up -f compose.yaml -f production.yaml', does: 'one file merged over another' },
      { line: 'flotilla up -d', does: 'do not wait' },
    ],
  },
  plan: {
    operands: [],
    summary: 'what `up` would change, and what it comes to: replicas, quota, time, cost',
    about: [
      'Works out what applying the Compose file would change: per service the fields that differ, how many replicas are created, replaced and removed, and why. The rules are those that `up` follows; nothing is changed. Values of the environment and of commands are not shown, because they may hold secrets.',
      'Then what it comes to: container groups created and deleted in each pool, the most that is in use of its quota on the way, how few replicas serve meanwhile, the cost per hour where pools state prices, and how long it takes. For that the planner itself is walked through a world in which every replica starts in the time that those before it took; what creates and deletes ACI allows in 5 minutes and in an hour is part of it.',
    ],
    options: [...file, options.exitCode, options.json, ...api, help],
    examples: [
      { line: 'flotilla plan', does: 'the Compose file here or above' },
      { line: 'flotilla plan --json', does: 'for a script: `forecast` has quota, time and cost' },
      { line: 'flotilla plan --exit-code', does: 'in a script: 0 nothing, 6 something to do' },
    ],
  },
  ps: {
    operands: [maybeApp],
    summary: 'apps; or the replicas of one, with reasons and last log lines',
    about: [
      'Without APP the apps; with it the replicas of that app, why they are not ready, and the last log lines of those that crash. RESTARTS is as last read: of a ready replica whose probe passes, the container group is not read.',
    ],
    options: [json, ...api, help],
    examples: [
      { line: 'flotilla ps', does: 'all apps' },
      { line: 'flotilla ps shop', does: 'the replicas of shop' },
    ],
  },
  logs: {
    operands: [{ name: 'APP[.SERVICE[.SLOT]]', kind: 'target' }],
    summary: 'what containers print; -f follows',
    about: [
      'The last log lines of an app, of one of its services or of one replica, in the order of their instants. Lines of several replicas begin with their service and slot. At most 20 replicas are read at a time.',
      '-f reads the last lines again every second, more slowly for many replicas, and goes on with those that replace them. ACI hands out at most the last 4 MB: where more than that is printed between two reads, a note says that lines are missing.',
      '--previous shows what the last replica of a slot printed before its container group was deleted: at most 1000 lines, kept for 7 days.',
    ],
    options: [
      options.followLogs,
      options.tail,
      options.since,
      options.timestamps,
      options.container,
      options.run,
      options.previous,
      jsonLines,
      ...api,
      help,
    ],
    examples: [
      { line: 'flotilla logs shop', does: 'all services of shop' },
      { line: 'flotilla logs -f shop.web', does: 'follow the replicas of web' },
      { line: 'flotilla logs shop.web.0 --tail 20 --timestamps', does: 'one replica' },
      { line: 'flotilla logs shop.web --since 10m', does: 'the last ten minutes' },
      { line: 'flotilla logs shop.web --run 7', does: 'what `flotilla run` has printed' },
      { line: 'flotilla logs shop.web.0 --previous', does: 'the replica before this one' },
    ],
  },
  exec: {
    operands: [
      { name: 'APP.SERVICE[.SLOT]', kind: 'target' },
      { name: '-- PROGRAM', kind: 'program', many: true },
    ],
    summary: 'a terminal inside a running replica',
    about: [
      'Starts one program, mostly a shell, in a terminal inside a running replica, and joins it with this one. Without SLOT it is the lowest slot whose replica is ready, or else runs. Everything typed goes to the program, Ctrl-C and Ctrl-D too; a new line, `~` and `.` end the connection where the program does not. An event tells who opened the terminal, and which program it runs.',
      'It does what Azure Container Instances can, and no more. The program gets no arguments: start `sh` and type the line there, or pipe it in, with a Ctrl-D at its end by itself. There is always a terminal, which shows what is typed and ends lines with CR LF. Its size is that of yours at the start, for good; `stty rows N cols N` tells a shell another. Nobody tells the exit code of the program: 0 means that the terminal was closed in good order, 1 that it was lost.',
    ],
    options: [options.container, ...api, help],
    examples: [
      { line: 'flotilla exec shop.web -- sh', does: 'a shell in a replica of web' },
      { line: 'flotilla exec shop.web.2 -- /bin/bash', does: 'in the replica of slot 2' },
      { line: "echo 'ls -l /data' | flotilla exec shop.web -- sh", does: 'a line with arguments, from a script' },
    ],
  },
  run: {
    operands: [
      { name: 'APP.SERVICE', kind: 'target' },
      { name: '[--] PROGRAM', kind: 'program', many: true, optional: true },
    ],
    summary: "a command in a container of its own, with a service's image and settings",
    about: [
      "Runs PROGRAM (without it: what the service runs) once, in a container group of its own with the service's newest revision: image, environment, secrets, volumes, size, registries and the rules of where it may be placed; without ports, probes and restarts. Shows what it prints, ends with its exit code, and leaves nothing but its record and its log, for 7 days. PROGRAM replaces ENTRYPOINT and CMD of the image, as Azure Container Instances has one command for both.",
      'Ctrl-C ends the run. Otherwise it goes on whatever becomes of this program, or of the host that looks after it, until its time is over. It waits while no pool has room or the app is frozen, and is ended with its service. At most 20 runs of an app can be under way.',
      'One container group is made for a run, and never another. Azure may still start its program again inside it: after maintenance of the platform, which does not end the run, and after an exit code other than 0, while the first one counts. So PROGRAM should bear being run twice.',
      'Exit code: that of PROGRAM; 125 if nobody can tell it, because it could not start, was ended, or was lost; 130 after Ctrl-C.',
    ],
    options: [options.env, options.runName, options.runDetach, options.runTimeout, options.rm, ...api, help],
    examples: [
      { line: 'flotilla run shop.web -- node migrate.js --all', does: 'a migration' },
      { line: 'flotilla run shop.web -e DRY_RUN=1 --timeout 10m -- ./report', does: 'with a variable and a limit' },
      { line: 'flotilla run -d --name nightly shop.web -- ./backup', does: 'without waiting' },
    ],
  },
  runs: {
    operands: [app],
    summary: 'the runs of an app, and how they ended',
    about: [
      'The runs of APP that are under way, and for 7 days those that are over, newest first. `flotilla logs APP.SERVICE --run N` shows what one has printed.',
    ],
    options: [options.cancel, json, ...api, help],
    examples: [
      { line: 'flotilla runs shop', does: 'all of them' },
      { line: 'flotilla runs shop --cancel web.7', does: 'end one' },
    ],
  },
  events: {
    operands: [maybeApp],
    summary: 'what happened, and why; -f follows',
    about: [
      'What happened to APP (without it: to every app), oldest first: commands, replicas, container groups, endpoints, and the reasons. web/2/5 is the replica in slot 2 of web, and the fifth that web has had. A restart in place is told once it is read; the group of a ready replica whose probe passes is not.',
    ],
    options: [options.follow, options.limit, jsonLines, ...api, help],
    examples: [{ line: 'flotilla events shop -f', does: 'follow what happens to shop' }],
  },
  down: {
    operands: [maybeApp],
    summary: 'tear an app down, and wait until everything is gone',
    about: [
      'Tears down all services of APP (without it: of the app that the Compose file here names) and waits until the last container group is gone. Ctrl-C stops waiting, not the operation.',
      'An app with `x-flotilla.protected: true` is left alone unless --yes names it.',
    ],
    options: [...file, options.yes, ...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla down shop', does: 'tear down shop' },
      { line: 'flotilla down shop --yes shop', does: 'the same, though it is protected' },
    ],
  },
  pools: {
    operands: [
      {
        name: 'ls|cordon|uncordon|drain',
        kind: 'word',
        optional: true,
        words: ['ls', 'cordon', 'uncordon', 'drain'],
      },
      { name: 'POOL', kind: 'word', optional: true },
    ],
    summary: 'where replicas are placed and what is left there; cordon, drain',
    about: [
      '`ls` (also without more) lists the pools in the order of preference: quota and what all apps hold of it, price, labels. What a pool is stands in the pools file.',
      '`cordon` keeps new replicas out of a pool; those in it stay. `drain` does that and replaces its replicas elsewhere: of each service one at a time, and each only once its successor is ready, so that nothing serves less meanwhile. Where no other pool has room, nothing is moved and `ps` says why. `uncordon` ends both. All of it is kept, whatever the pools file says later.',
    ],
    options: [json, ...api, help],
    examples: [
      { line: 'flotilla pools', does: 'all of them' },
      { line: 'flotilla pools drain eastus', does: 'empty it, and keep it empty' },
      { line: 'flotilla pools uncordon eastus', does: 'place there again' },
    ],
  },
  secrets: {
    operands: [
      { name: 'ls|set|rm', kind: 'word' },
      { name: 'APP', kind: 'app' },
      { name: 'NAME', kind: 'word', optional: true },
    ],
    summary: 'values that Compose files refer to: list, set, remove',
    about: [
      '`ls` lists the secrets and configs of APP: names, versions, sizes and who needs them, never values. `set` stores a value for a secret that the file calls `external`; services get it when the app is applied. `rm` removes every version of a name that nothing needs.',
      '`up` stores what the Compose file names by itself; that goes when nothing needs it any more. What was set by hand stays until it is removed.',
    ],
    options: [options.secretFile, json, ...api, help],
    examples: [
      { line: 'flotilla secrets ls shop', does: 'what is stored for shop' },
      { line: 'flotilla secrets set shop tls --file tls.pem', does: 'store a file' },
      { line: 'pass show db | flotilla secrets set shop db-password', does: 'store what another program prints' },
      { line: 'flotilla secrets rm shop tls', does: 'remove it' },
    ],
  },
  scale: {
    operands: [{ name: 'APP.SERVICE=N', kind: 'replicas', many: true }],
    summary: 'change how many replicas services have',
    about: [
      'Gives services another number of replicas and waits until they are ready. The number holds until a file is applied that states one for the service; a file that states none leaves it.',
    ],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla scale shop.web=5', does: 'five replicas of web' },
      { line: 'flotilla scale shop.web=5 shop.worker=0', does: 'several services at once' },
    ],
  },
  rollout: {
    operands: [
      {
        name: 'ACTION',
        kind: 'word',
        words: ['status', 'history', 'show', 'diff', 'pause', 'resume', 'promote', 'abort', 'undo', 'restart'],
      },
      { name: 'APP[.SERVICE]', kind: 'target' },
      { name: 'REV', kind: 'word', optional: true, many: true },
    ],
    summary: 'watch and steer how services go to a new revision',
    about: [
      '`status` shows the newest rollout of each service, and why it waits, stopped or led back; -w goes on until it has come to an end. `history` lists all there were, `show APP.SERVICE.N` one of them with every decision and what it was made from, `diff APP.SERVICE REV1 REV2` what two revisions are made of; values that may be secret are shown as numbers, the same for the same value.',
      '`pause` keeps what stands as it is, `resume` goes on and forgives what failed before, `promote` opens a gate or ends a bake, `abort` leads back to the last verified revision, `undo` goes back to the verified revision before this one or to the one that --to names. `restart` replaces replicas at the same revision. All of them take effect at the next pass, whatever is half done.',
      'Ends with 1 where the newest rollout failed or leads back, with 3 where it is paused.',
    ],
    options: [options.watch, options.to, json, ...api, help],
    examples: [
      { line: 'flotilla rollout status shop -w', does: 'follow the rollouts of shop' },
      { line: 'flotilla rollout history shop.web', does: 'what there was, newest first' },
      { line: 'flotilla rollout show shop.web.3 --json', does: 'the third rollout of web, to keep' },
      { line: 'flotilla rollout diff shop.web 1 2', does: 'what revision 2 changed' },
      { line: 'flotilla rollout pause shop.web', does: 'replace nothing more for now' },
      { line: 'flotilla rollout undo shop.web --to 4', does: 'go to revision 4' },
    ],
  },
  restart: {
    operands: services,
    summary: 'replace replicas one at a time, at the same revision',
    about: [
      'Replaces every replica of an app or of services by a new one at the same revision and in the same slot. Per service at most one ready replica is missing at a time: the next one goes when all others are ready. An image tag that has moved is pulled anew.',
    ],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla restart shop.web', does: 'one service' },
      { line: 'flotilla restart shop', does: 'all services of shop' },
    ],
  },
  stop: {
    operands: services,
    summary: 'remove the replicas and keep the spec',
    about: [
      'Removes all replicas of an app or of services; nothing runs and nothing is paid for. The spec is kept, and may be changed by `up` meanwhile: what is stopped stays so until `start`.',
    ],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla stop shop', does: 'everything' },
      { line: 'flotilla stop shop.worker', does: 'one service' },
    ],
  },
  start: {
    operands: services,
    summary: 'bring back what was stopped',
    about: ['Creates the replicas of a stopped app or of stopped services again and waits until they are ready.'],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [{ line: 'flotilla start shop', does: 'everything that is stopped' }],
  },
  freeze: {
    operands: [app],
    summary: 'let nothing be created or deleted until `thaw`',
    about: [
      'From then on no container group of the app is created or deleted, whatever happens. Commands are accepted and noted, and take effect when it is thawed; what runs is observed as ever. What was sent to ARM before cannot be called back.',
    ],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [{ line: 'flotilla freeze shop', does: 'hands off shop' }],
  },
  thaw: {
    operands: [app],
    summary: 'end `freeze`: what was noted meanwhile goes on',
    about: ['Lets Flotilla act on a frozen app again.'],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [{ line: 'flotilla thaw shop', does: 'let shop go on' }],
  },
  why: {
    operands: [{ name: 'APP.SERVICE.SLOT', kind: 'target' }],
    summary: 'why a replica is as it is: evidence, the rule, and what comes next',
    about: [
      'Looks at the container group of a replica now, probes it where it is probed, and says by which rule it is what it is, why the planner does what it does with it, and what comes next and when. Nothing is changed by asking.',
    ],
    options: [json, ...api, help],
    examples: [{ line: 'flotilla why shop.web.0', does: 'the replica in slot 0 of web' }],
  },
  replica: {
    operands: [
      { name: 'replace|forget', kind: 'word', words: ['replace', 'forget'] },
      { name: 'APP.SERVICE.SLOT', kind: 'target' },
    ],
    summary: 'replace one replica, or let go of one that ARM does not let go of',
    about: [
      '`replace` gives the slot a new replica, by the rules of `restart`: at most one ready replica of the service is missing at a time.',
      '`forget` is for a replica that is lost, failed or being deleted and does not get any further: its row is closed and its slot is free. Should its container group still stand, it is deleted as an orphan once ARM lists it.',
    ],
    options: [...wait, jsonAtEnd, ...api, help],
    examples: [
      { line: 'flotilla replica replace shop.web.0', does: 'a new replica in slot 0' },
      { line: 'flotilla replica forget shop.web.0', does: 'wait no longer for ARM to delete it' },
    ],
  },
  context: {
    operands: [
      { name: 'ls|use|add|rm|show', kind: 'word', optional: true, words: ['ls', 'use', 'add', 'rm', 'show'] },
      { name: 'NAME', kind: 'word', optional: true },
    ],
    summary: 'the installations you work with: address and key, by name',
    about: [
      'Keeps addresses and keys of installations in $XDG_CONFIG_HOME/flotilla/contexts.json (default: ~/.config), readable by you alone. Commands go to the one in use unless --api, FLOTILLA_API or --context says otherwise. The key of a context is only ever sent to its own address; FLOTILLA_KEY wins over it.',
    ],
    options: [options.url, options.key, options.json, help],
    examples: [
      { line: 'flotilla context add prod --url https://shop.azurewebsites.net --key - < key', does: 'with its key' },
      { line: 'flotilla context use prod', does: 'for all commands from now on' },
      { line: 'flotilla context ls', does: 'all of them' },
    ],
  },
  completion: {
    operands: [{ name: 'bash|zsh|fish', kind: 'word', words: ['bash', 'zsh', 'fish'] }],
    summary: 'the completion script for a shell',
    about: [
      'Prints a script that completes commands and options, and names of apps and services as the API knows them at that moment.',
    ],
    options: [help],
    examples: [
      { line: 'source <(flotilla completion bash)', does: 'in this shell' },
      { line: 'flotilla completion fish > ~/.config/fish/completions/flotilla.fish', does: 'for good' },
    ],
  },
  version: {
    operands: [],
    summary: 'of this program and of the API',
    about: ['The version of this program, and of the installation that commands go to.'],
    options: [options.client, options.json, ...api, help],
    examples: [{ line: 'flotilla version --client', does: 'without asking anybody' }],
  },
  config: {
    operands: [],
    summary: 'the document that `up` would send, everything resolved',
    about: [
      'The self-contained document that `up` would send: variables, env files, anchors and profiles resolved. Nothing is sent.',
    ],
    options: [...file, options.jsonNotYaml, help],
    examples: [{ line: 'flotilla config --json', does: 'as JSON' }],
  },
  local: {
    operands: [
      { name: 'fault', kind: 'word' },
      { name: 'ls|add|clear|help', kind: 'word', optional: true },
      { name: 'WORD', kind: 'word', optional: true, many: true },
    ],
    summary: 'make the embedded platform behave badly, and watch the repair',
    about: [
      'The fault console of a platform that `npm start` runs on this machine. Without more: everything that can go wrong, with its arguments. `add` makes it happen, `ls` shows what is set, `clear` ends what is set: all of it, or what is named by its ID. What happened once, such as a kill, is not undone. Arguments are given in their order or by name.',
      'The platform is the one whose API is at --api; FLOTILLA_CONSOLE names its fault console instead.',
    ],
    options: [json, ...api, help],
    examples: [
      { line: 'flotilla local fault', does: 'all faults there are' },
      { line: 'flotilla local fault add kill-group voting.web.0', does: 'a replica is gone' },
      { line: 'flotilla local fault add region-down eastus', does: 'until it is cleared' },
      { line: 'flotilla local fault add throttle create times=10', does: 'the next ten creates' },
      { line: 'flotilla local fault help capacity', does: 'one fault and its arguments' },
      { line: 'flotilla local fault clear', does: 'everything is well again' },
    ],
  },
} as const satisfies Readonly<Record<string, CommandSpec>>;

export type CommandName = keyof typeof commandTable;

export const commandNames = Object.keys(commandTable) as readonly CommandName[];

export const commandSpec = (name: CommandName): CommandSpec => commandTable[name];
