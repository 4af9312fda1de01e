/**
 * S13: no token and no key gets into a row, an audit event, a message, an input or result of an activity, the end of an instance, or the log.
 * Requests carry them; errors of the SDKs carry the requests.
 */
import type { Oracle, SimEvent } from '../types.ts';

export const secrets: Oracle = {
  name: 'secrets',
  invariant: 'S13',
  create: () => ({
    onEvent(view, event) {
      for (const text of textsOf(event)) {
        const secret = view.secrets.find((one) => text.includes(one));
        if (secret) view.fail(`${secret} stands in ${placeOf(event)}: ${text.slice(0, 200)}`);
      }
    },
  }),
};

function textsOf(event: SimEvent): readonly string[] {
  switch (event.type) {
    case 'row':
      return Object.values(event.after ?? {}).filter((value) => typeof value === 'string');
    case 'run':
      return [event.detail];
    case 'log':
      return [event.message];
    case 'instance':
      return [event.output];
    default:
      return [];
  }
}

const placeOf = (event: SimEvent): string =>
  event.type === 'row'
    ? `${event.partition} ${event.row}`
    : event.type === 'run'
      ? `what ${event.cause.fn} was given or gave`
      : event.type;
