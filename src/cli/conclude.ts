/** How `up` and `down` end: what is said, and the exit code. */
import type { AppResource, OperationResource } from '../model/api.ts';
import type { Session } from './context.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import { elapsed, renderProblems, renderTrouble } from './render.ts';
import { failWith } from './session.ts';
import { type Ending, stallMs } from './wait.ts';

export type Unfinished = Exclude<Ending, { readonly kind: 'converged' }>;

/** With `--json`, standard output holds one object: progress is not shown. */
export const saidByJson = (session: Session, json: boolean): Session =>
  json ? { ...session, terminal: { ...session.terminal, line() {}, status() {} } } : session;

/** For `--detach`. */
export function sayAccepted(session: Session, operation: OperationResource, json: boolean): ExitCode {
  const { terminal } = session;
  const { id, app } = operation;
  if (json) terminal.line(JSON.stringify({ outcome: 'accepted', operation }, null, 2));
  else terminal.line(`Accepted as operation ${id}. Follow it with \`${callOf(`events ${app} -f`, session)}\`.`);
  return exitCodes.ok;
}

/** For anything but success. `operation`: the one that was waited for. */
export function sayUnfinished(
  session: Session,
  ending: Unfinished,
  operation: OperationResource,
  json: boolean,
): ExitCode {
  const { terminal } = session;
  if (json) {
    const { kind: outcome, ...facts } = ending;
    terminal.line(JSON.stringify({ outcome, operation, ...facts }, null, 2));
  }
  const { app, command } = operation;
  const say = (...lines: readonly string[]) => {
    for (const line of lines) terminal.note(line);
  };
  const goesOn = [
    `The operation goes on. Follow it with \`${callOf(`events ${app} -f`, session)}\`, or look with \`${callOf(`ps ${app}`, session)}\`.`,
  ];
  switch (ending.kind) {
    case 'failing':
      say(`error: ${ending.why}`, ...troubleOf(ending.app), '', ...goesOn);
      return exitCodes.failed;
    case 'held':
      say(`warning: ${ending.why}`);
      return exitCodes.warned;
    case 'refused':
      say(
        `error: the ${command} was ${ending.operation.state}: ${ending.operation.reason ?? 'no reason given'}`,
        ...renderProblems(ending.operation.problems),
      );
      return exitCodes.failed;
    case 'timeout':
      say(
        ending.isStalled
          ? `error: nothing happened for ${elapsed(stallMs)}.`
          : `error: ${command === 'delete' ? 'not gone' : 'not converged'} in time.`,
        ...troubleOf(ending.app),
        ...goesOn,
      );
      return exitCodes.timeout;
    case 'interrupted':
      say(...goesOn);
      return exitCodes.interrupted;
    case 'silent': {
      const code = failWith(session, ending.error);
      say(`What was accepted as operation ${operation.id} goes on.`);
      return code;
    }
  }
}

const troubleOf = (app: AppResource | null): readonly string[] => (app === null ? [] : renderTrouble(app));

/** The call as it must be typed to reach the same API from here. */
function callOf(command: string, { apiOption, environment }: Pick<Session, 'apiOption' | 'environment'>): string {
  const program = environment['npm_command'] === 'exec' ? 'npx flotilla' : 'flotilla';
  return `${program} ${command}${apiOption}`;
}
