/** What `--help` prints, command by command. */
import type { CommandName } from './arguments.ts';

const overview = `Flotilla: container orchestration for Azure Container Instances.

Usage: flotilla COMMAND [options]

  up             make the app what its Compose file says, and wait until it is
  ps [APP]       apps; or the replicas of one, with reasons and last log lines
  events [APP]   what happened, and why; -f follows
  down [APP]     tear an app down, and wait until everything is gone
  config         the document that \`up\` would send, everything resolved

Every command has --help. The API is at --api URL, else at FLOTILLA_API, else at
http://127.0.0.1:7071. It wants a function key of the app: FLOTILLA_KEY; the key
of a platform that \`npm start\` runs here is found by itself.
Exit codes: 0 done · 1 failed · 2 arguments or file wrong, nothing sent ·
4 timeout · 5 no API, or no access · 130 Ctrl-C
`;

const fileHelp = `  -f, --file FILE    Compose file; \`-\` reads standard input. May be repeated:
                     each is merged over those before it (default: compose.yaml,
                     compose.yml, docker-compose.yaml or docker-compose.yml here
                     or above, and compose.override.yaml beside it)
  --name NAME        name of the app (default: \`name:\` of the file, then its
                     directory's)
  --profile NAME     enable a profile; may be repeated
                     (default: COMPOSE_PROFILES)`;
const waitHelp = `  -d, --detach       do not wait
  --timeout TIME     stop waiting after this long, such as 90s or 5m; the
                     operation goes on (default: after 10m without news)`;
const apiHelp = `  --api URL          address of the API (default: FLOTILLA_API, then
                     http://127.0.0.1:7071)`;
const helpHelp = '  -h, --help         this text';

const topics: Readonly<Record<CommandName, string>> = {
  up: `Usage: flotilla up [options]

Makes the app what its Compose file says: shows what will change, applies it,
and waits until every replica is ready. Services that are not in the file any
more are torn down. Ctrl-C stops waiting, not the operation.

${fileHelp}
${waitHelp}
  --json             one JSON object at the end instead of lines
${apiHelp}
${helpHelp}
`,
  ps: `Usage: flotilla ps [APP] [options]

Without APP the apps; with it the replicas of that app, why they are not ready,
and the last log lines of those that crash. RESTARTS is as last read: of a ready
replica whose probe passes, the container group is not read.

  --json             the API's resource as JSON
${apiHelp}
${helpHelp}
`,
  events: `Usage: flotilla events [APP] [options]

What happened to APP (without it: to every app), oldest first: commands,
replicas, container groups, endpoints, and the reasons. web/2/5 is the replica
in slot 2 of web, and the fifth that web has had. A restart in place is told
once it is read; the group of a ready replica whose probe passes is not.

  -f, --follow       go on as things happen, until Ctrl-C
  -n, --limit N      how many of the newest to begin with, 1 to 500
                     (default 50)
  --json             one JSON object per line
${apiHelp}
${helpHelp}
`,
  down: `Usage: flotilla down [APP] [options]

Tears down all services of APP (without it: of the app that the Compose file
here names) and waits until the last container group is gone. Ctrl-C stops
waiting, not the operation.

${fileHelp}
${waitHelp}
  --json             one JSON object at the end instead of lines
${apiHelp}
${helpHelp}
`,
  config: `Usage: flotilla config [options]

The self-contained document that \`up\` would send: variables, env files, anchors
and profiles resolved. Nothing is sent.

${fileHelp}
  --json             JSON instead of YAML
${helpHelp}
`,
};

export const helpOf = (topic: CommandName | null): string => (topic === null ? overview : topics[topic]);
