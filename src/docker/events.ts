/** The engine's events about an owner's containers, as hints to look again: which group changed. */
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { labels, type Owner } from './labels.ts';

const RECONNECT_MS = 1_000;
/** What changes the state of a container; executed commands, which health checks are made of, do not. */
const ACTIONS = ['start', 'die', 'destroy', 'oom', 'pause', 'unpause'];

export interface Watch {
  close(): void;
}

/** `onHint(undefined)`: anything may have changed, because the stream has just been opened. Reconnects until it is closed. */
export function watchEvents(docker: Docker, owner: Owner, onHint: (uid: string | undefined) => void): Watch {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let current: Readable | undefined;
  const again = () => {
    if (!closed) timer = setTimeout(open, RECONNECT_MS);
  };
  const open = () => {
    const filters = { type: ['container' as const], label: [`${labels.owner}=${owner.id}`], event: ACTIONS };
    docker.getEvents({ filters }).then((opened) => {
      current = opened as unknown as Readable;
      if (closed) current.destroy();
      current.once('close', again);
      current.once('error', () => current?.destroy());
      let rest = '';
      current.setEncoding('utf8').on('data', (chunk: string) => {
        const parts = (rest + chunk).split('\n');
        rest = parts.pop() ?? '';
        for (const part of parts) hint(part, onHint);
      });
      onHint(undefined);
    }, again);
  };
  open();
  return {
    close() {
      closed = true;
      clearTimeout(timer);
      current?.destroy();
    },
  };
}

function hint(text: string, onHint: (uid: string) => void): void {
  if (text.trim() === '') return;
  const event = JSON.parse(text) as { Actor?: { Attributes?: Record<string, string> } };
  const uid = event.Actor?.Attributes?.[labels.uid];
  if (uid !== undefined) onHint(uid);
}
