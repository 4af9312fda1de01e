/**
 * S13: no secret value in history, table, log, plan, event or error text; and what ARM is given is the very version that the revision names. Secret values
 * of the workloads say so (`canary-…`), and a service that gets one says beside it, in plain, which it should be (`CANARY`).
 */
import { gunzipSync } from 'node:zlib';
import type { ArmGroup, Oracle, RawEntity, View } from '../types.ts';

const canary = 'canary-';
/** Its first bytes in base64, wherever a value is encoded as a whole. */
const encoded = Buffer.from(canary).toString('base64').slice(0, 8);

const tells = (text: string): boolean => text.includes(canary) || text.includes(encoded);

export const secrecy: Oracle = {
  name: 'secrecy',
  invariant: 'S13',
  create: () => ({
    onEvent(view, event) {
      switch (event.type) {
        case 'row':
          if (event.after !== null && tells(textOf(event.after)))
            view.fail(`a secret value stands in the row ${event.row} of ${event.partition}`);
          return;
        case 'run':
          if (tells(event.detail)) view.fail(`a secret value stands in the history: ${event.moment} ${event.cause.fn}`);
          return;
        case 'log':
          if (tells(event.message)) view.fail(`a secret value stands in the log of ${event.host}`);
          return;
        case 'group':
          if (event.change === 'created' || event.change === 'replaced') judgeValues(view, event.group);
      }
    },
  }),
};

/** Everything in a row, compressed values included. */
function textOf(row: RawEntity): string {
  const plain = Object.entries(row).map(([name, value]) => (/_gz\d+$/.test(name) ? '' : String(value)));
  const chunks = new Map<string, Buffer[]>();
  for (const name of Object.keys(row)
    .filter((key) => /_gz\d+$/.test(key))
    .sort(byNumber)) {
    const field = name.replace(/_gz\d+$/, '');
    chunks.set(field, [...(chunks.get(field) ?? []), Buffer.from(String(row[name]), 'base64')]);
  }
  const inflated = [...chunks.values()].map((parts) => gunzipSync(Buffer.concat(parts)).toString('utf8'));
  return [...plain, ...inflated].join('\n');
}

const byNumber = (left: string, right: string): number =>
  Number(/\d+$/.exec(left)?.[0]) - Number(/\d+$/.exec(right)?.[0]);

function judgeValues(view: View, { label, environment, files }: ArmGroup): void {
  const wanted = environment['CANARY'];
  if (wanted === undefined) return;
  const given = [environment['TOKEN'], ...Object.values(files)];
  if (given.length < 2 || given.some((value) => value !== `${canary}${wanted}`))
    view.fail(`the group of ${label} should have the secret ${wanted}, and was given ${given.join(', ') || 'none'}`);
}
