/**
 * Other systems that send whole commands over the command queue and want to hear what became of them: good ones, the same again, one with a key that is
 * taken, one for an app that is not there, one that nobody can read, and one that asks for its reply where none may be sent.
 */
import type { Drive, Workload } from '../types.ts';

const small = { resources: { limits: { cpus: '1', memory: '1G' } } };

const documentOf = (app: string, tag: number, replicas: number) => ({
  name: app,
  services: { web: { image: `flotilla/http:${tag}`, ports: ['80'], deploy: { ...small, replicas } } },
});

const gapsMs = [20_000, 0, 2_000, 90_000, 240_000];

export const orders: Workload = {
  name: 'orders',
  async run(drive) {
    const apps = ['shop', 'blog'].slice(0, 1 + drive.pick('apps', 2));
    await Promise.all(apps.map((app) => live(drive, app)));
  },
};

async function live(drive: Drive, app: string): Promise<void> {
  const asks = { replyTo: 'answers', replyToSessionId: `ci-${app}` };
  let tag = 1;
  let document: unknown = documentOf(app, tag, 2);
  let key = drive.order({ app, document, ...asks });
  for (let n = 0; n < 8; n += 1) {
    await drive.wait(gapsMs[drive.pick(`${app} gap`, gapsMs.length)] ?? 0);
    switch (drive.pick(`${app} what`, 8)) {
      case 1:
        drive.order({ app, document, key, ...asks });
        break;
      case 2:
        drive.order({ app, document: documentOf(app, 99, 1), key, ...asks });
        break;
      case 3:
        drive.order({ app, document: null, replyTo: 'answers' });
        break;
      case 4:
        drive.order({ app, document: null, garbage: '{"command":"appply"}', ...asks });
        break;
      case 5:
        drive.order({ app, document: documentOf(app, tag, 1), replyTo: 'elsewhere' });
        break;
      case 6:
        drive.order({ app, document: { name: app, services: {} }, ...asks });
        break;
      case 7:
        await drive.apply(app, documentOf(app, tag, 3));
        break;
      default:
        tag += 1;
        document = documentOf(app, tag, 1 + (n % 3));
        key = drive.order({ app, document, ...asks });
    }
  }
  // It ends with an app that stands, whatever was taken down before.
  await drive.wait(60_000);
  drive.order({ app, document: documentOf(app, tag + 1, 2), ...asks });
}
