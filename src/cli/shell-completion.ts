/**
 * Completion from the table of commands. The scripts know nothing: each asks `flotilla __complete -- WORDS…` what may follow, so that they never have to be
 * generated anew. Pure.
 */
import { type CommandName, commandNames, commandSpec } from './command-table.ts';

export type Shell = 'bash' | 'zsh' | 'fish';
export const shells: readonly Shell[] = ['bash', 'zsh', 'fish'];

export interface CommandLine {
  readonly command: CommandName | null;
  /** The command itself is being typed. */
  readonly isFirst: boolean;
  /** Words between the command and the one being typed. */
  readonly before: readonly string[];
  /** The word being typed, maybe empty. */
  readonly typed: string;
}

/** @param words what stands behind `flotilla`, the word being typed last. */
export function commandLineOf(words: readonly string[]): CommandLine {
  const typed = words.at(-1) ?? '';
  const [first, ...before] = words.slice(0, -1);
  return { command: commandNames.find((name) => name === first) ?? null, isFirst: words.length <= 1, before, typed };
}

export type Wanted =
  | { readonly kind: 'words'; readonly words: readonly string[] }
  /** Names that only the API knows, which begin with `prefix`; `suffix` follows each service. */
  | { readonly kind: 'apps' | 'targets'; readonly prefix: string; readonly suffix: string }
  /** What only the fault console knows. */
  | { readonly kind: 'faults'; readonly before: readonly string[]; readonly typed: string };

export function wordsFor({ command, isFirst, before, typed }: CommandLine): Wanted {
  const matching = (words: readonly string[]): Wanted => ({
    kind: 'words',
    words: words.filter((word) => word.startsWith(typed)),
  });
  if (command === null) return matching(isFirst ? commandNames : []);
  const { options, operands } = commandSpec(command);
  if (typed.startsWith('-')) return matching(options.map(({ name }) => `--${name}`));
  const previous = before.at(-1) ?? '';
  const pending = options.find(
    ({ name, short, value }) => value !== undefined && [`--${name}`, `-${short}`].includes(previous),
  );
  // Of a value only the user knows what it should be; files are the shell's own business.
  if (pending !== undefined) return matching([]);
  if (command === 'local') return { kind: 'faults', before, typed };
  const given = operandsIn(before, command);
  const operand = operands[Math.min(given, operands.length - 1)];
  if (operand === undefined || (given >= operands.length && !operand.many)) return matching([]);
  if (operand.words) return matching(operand.words);
  switch (operand.kind) {
    case 'app':
      return { kind: 'apps', prefix: typed, suffix: '' };
    case 'target':
      return { kind: 'targets', prefix: typed, suffix: '' };
    case 'replicas':
      return { kind: 'targets', prefix: typed, suffix: '=' };
    default:
      return matching([]);
  }
}

/** How many operands were given: words that are neither options nor their values. */
function operandsIn(words: readonly string[], command: CommandName): number {
  const valued = new Set(
    commandSpec(command).options.flatMap(({ name, short, value }) =>
      value === undefined ? [] : [`--${name}`, `-${short}`],
    ),
  );
  return words.filter((word, n) => !word.startsWith('-') && !valued.has(words[n - 1] ?? '')).length;
}

export const scriptOf = (shell: Shell): string => scripts[shell];

/** A word that ends in `.` or `=` goes on, so no blank follows it; nor one of which there are several. */
const scripts: Readonly<Record<Shell, string>> = {
  bash: `# Completion of flotilla for bash: source it, or save it as
# ~/.local/share/bash-completion/completions/flotilla
_flotilla() {
  local IFS=$'\\n' cur="\${COMP_LINE:0:COMP_POINT}"
  cur="\${cur##* }"
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  COMPREPLY=($(flotilla __complete -- "\${words[@]}" "$cur" 2>/dev/null))
  # Readline replaces only what follows the last of these characters.
  local breaks="\${cur%"\${cur##*[=:]}"}"
  COMPREPLY=("\${COMPREPLY[@]#"$breaks"}")
  [[ \${#COMPREPLY[@]} -eq 1 && "\${COMPREPLY[0]}" == *[.=] ]] && compopt -o nospace
}
complete -o default -F _flotilla flotilla`,
  zsh: `#compdef flotilla
# Completion of flotilla for zsh: save it as _flotilla in a directory of $fpath.
_flotilla() {
  local -a found
  found=("\${(@f)$(flotilla __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  found=(\${found:#})
  if (( \${#found} )); then compadd -Q -S '' -- $found; else _files; fi
}
if [[ "\${funcstack[1]}" == _flotilla ]]; then _flotilla "$@"; else compdef _flotilla flotilla; fi`,
  fish: `# Completion of flotilla for fish: save it as ~/.config/fish/completions/flotilla.fish
function __flotilla_complete
  set -l words (commandline -opc)
  flotilla __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c flotilla -a '(__flotilla_complete)'`,
};
