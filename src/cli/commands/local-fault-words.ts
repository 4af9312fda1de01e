/** What may follow in `flotilla local fault …`, for completion: from what the platform says it can do and what is set. Pure. */
import type { CataloguedFault, ConsoleView } from '../../client/fault-console.ts';

const actions = ['ls', 'add', 'clear', 'help'] as const;

/** @param before the words between `local` and the one being typed. Names of arguments end in `=`. */
export function faultWords(view: ConsoleView | null, before: readonly string[], typed: string): readonly string[] {
  const [subject, action, name, ...given] = before.filter((word) => !word.startsWith('-'));
  return candidates(view, { subject, action, name, given }, typed).filter((word) => word.startsWith(typed));
}

interface Words {
  readonly subject: string | undefined;
  readonly action: string | undefined;
  readonly name: string | undefined;
  readonly given: readonly string[];
}

function candidates(view: ConsoleView | null, words: Words, typed: string): readonly string[] {
  if (words.subject === undefined) return ['fault'];
  if (words.action === undefined) return actions;
  if (view === null) return [];
  if (words.action === 'clear') return view.active.map(({ id }) => id);
  if (words.action !== 'add' && words.action !== 'help') return [];
  if (words.name === undefined) return view.catalogue.map(({ name }) => name);
  const fault = words.action === 'add' ? view.catalogue.find(({ name }) => name === words.name) : undefined;
  return fault ? argumentWords(fault, words.given, typed) : [];
}

/** Values of the argument that is being typed, by name or in its turn; and the names of those that are left. */
function argumentWords(fault: CataloguedFault, given: readonly string[], typed: string): readonly string[] {
  const named = /^([a-z][-a-z]*)=/.exec(typed)?.[1];
  const argument = fault.arguments.find(({ name }) => name === named);
  if (argument) return argument.choices.map((choice) => `${argument.name}=${choice}`);
  const left = fault.arguments.filter(({ name }) => !given.some((word) => word.startsWith(`${name}=`)));
  const positional = given.filter((word) => !/^[a-z][-a-z]*=/.test(word)).length;
  return [...(left[positional]?.choices ?? []), ...left.slice(positional).map(({ name }) => `${name}=`)];
}
