/** `flotilla secrets ls|set|rm`: what is stored for an app, never the values themselves. */
import type { ApiClient, ApiError } from '../../client/client.ts';
import type { SecretResource } from '../../model/api.ts';
import { ok, type Result } from '../../model/result.ts';
import { formatBytes } from '../../model/units.ts';
import type { Surroundings } from '../context.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import type { InvocationOf } from '../invocation.ts';
import { failWith, openSession } from '../session.ts';
import { columns } from '../table.ts';

type Options = InvocationOf<'secrets'>;

export async function secrets(surroundings: Surroundings, options: Options): Promise<ExitCode> {
  const { terminal } = surroundings;
  const value = options.action === 'set' ? await readValue(surroundings, options.file) : new Uint8Array();
  if (typeof value === 'string') {
    terminal.note(`error: ${value}`);
    return exitCodes.invalid;
  }
  const opened = await openSession(surroundings, options);
  if (!opened.ok) return opened.error;
  const said = await actions[options.action](opened.value.client, options, value);
  if (!said.ok) return failWith(opened.value, said.error);
  const lines = options.json ? [JSON.stringify(said.value.resource, null, 2)] : said.value.lines;
  for (const line of lines) terminal.line(line);
  return exitCodes.ok;
}

interface Said {
  /** As the API gave it. */
  readonly resource: unknown;
  readonly lines: readonly string[];
}

type Action = (client: ApiClient, options: Options, value: Uint8Array) => Promise<Result<Said, ApiError>>;

const actions: Readonly<Record<Options['action'], Action>> = {
  async ls(client, { app }) {
    const listed = await client.secrets(app);
    return listed.ok ? ok({ resource: listed.value, lines: renderList(listed.value) }) : listed;
  },
  async set(client, { app, name }, value) {
    const set = await client.setSecret(app, { name, value });
    if (!set.ok) return set;
    const { version, sizeBytes } = set.value;
    const line = `${name} is stored as version ${version} (${formatBytes(sizeBytes)}); services get it when ${app} is applied.`;
    return ok({ resource: set.value, lines: [line] });
  },
  async rm(client, { app, name }) {
    const removal = await client.removeSecret(app, name);
    if (!removal.ok) return removal;
    const { removed } = removal.value;
    return ok({
      resource: removal.value,
      lines: [`${name} is removed: ${removed} version${removed === 1 ? '' : 's'}.`],
    });
  },
};

/** A text says what is wrong. */
async function readValue({ readBytes }: Surroundings, file: string): Promise<Uint8Array | string> {
  try {
    return (await readBytes(file)) ?? `there is no file \`${file}\`.`;
  } catch (error) {
    return `\`${file}\` cannot be read: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

function renderList(listed: readonly SecretResource[]): readonly string[] {
  if (listed.length === 0) return ['nothing is stored'];
  const rows = listed.map(({ kind, name, version, newest, sizeBytes, managed, setAt, usedBy }) => [
    name,
    kind,
    newest ? version : `${version} (older)`,
    formatBytes(sizeBytes),
    managed ? 'file' : 'by hand',
    setAt.replace(/\.\d+Z$/, 'Z'),
    usedBy.length === 0 ? '-' : usedBy.join(', '),
  ]);
  return columns([['NAME', 'KIND', 'VERSION', 'SIZE', 'SET', 'AT', 'NEEDED BY'], ...rows]);
}
