/** `flotilla completion bash|zsh|fish`: the script for a shell; and the words that such a script asks for while somebody types. */
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { connectQuietly } from '../session.ts';
import { commandLineOf, scriptOf, type Wanted, wordsFor } from '../shell-completion.ts';
import { faultCompletions } from './local-fault.ts';

export function completion({ terminal }: Surroundings, { shell }: InvocationOf<'completion'>): ExitCode {
  terminal.line(scriptOf(shell));
  return exitCodes.ok;
}

/** Never says a word that is none: whatever goes wrong, there is nothing to complete. */
export async function complete(surroundings: Surroundings, { words }: InvocationOf<'complete'>): Promise<ExitCode> {
  const line = commandLineOf(words);
  const wanted = wordsFor(line);
  for (const word of await found(surroundings, wanted)) surroundings.terminal.line(word);
  return exitCodes.ok;
}

async function found(surroundings: Surroundings, wanted: Wanted): Promise<readonly string[]> {
  switch (wanted.kind) {
    case 'words':
      return wanted.words;
    case 'faults':
      return await faultCompletions(surroundings, wanted.before, wanted.typed);
    default:
      return await namesOf(surroundings, wanted.kind, wanted.prefix, wanted.suffix);
  }
}

/** `APP`, and after its dot the services of that app. */
async function namesOf(
  surroundings: Surroundings,
  kind: 'apps' | 'targets',
  prefix: string,
  suffix: string,
): Promise<readonly string[]> {
  const session = await connectQuietly(surroundings);
  if (session === null) return [];
  const [app = ''] = prefix.split('.');
  if (kind === 'targets' && prefix.includes('.')) {
    const found = await session.client.app(app);
    if (!found.ok) return [];
    const services = found.value.serviceList
      .filter(({ removed }) => !removed)
      .map(({ name }) => `${app}.${name}${suffix}`);
    return services.filter((name) => name.startsWith(prefix));
  }
  const apps = await session.client.apps();
  if (!apps.ok) return [];
  return apps.value.map(({ name }) => name).filter((name) => name.startsWith(prefix));
}
