import { describe, expect, it } from 'vitest';
import { renderPreview } from '../../../src/cli/preview.ts';
import type { ServiceChangeResource } from '../../../src/model/api.ts';
import { parseApp } from '../../../src/spec/parse-app.ts';
import { anApp, aPreview, aReplica, aService } from '../../support/cli-fixture.ts';

const parsed = parseApp({ name: 'shop', services: { web: { image: 'nginx:2', deploy: { replicas: 3 } } } });
if (!parsed.ok) throw new Error('the fixture is no app');
const wanted = parsed.value.app;
const before = anApp({
  serviceList: [
    aService({ name: 'web', desired: 1 }),
    aService({ name: 'old', replicas: [aReplica(), aReplica({ slot: 1 })] }),
  ],
});

describe('the preview', () => {
  it.each<{ name: string; change: ServiceChangeResource; expected: string }>([
    {
      name: 'a new service with its size and image',
      change: { service: 'web', change: 'added', fields: [] },
      expected: '  + web  add 3 × nginx:2',
    },
    {
      name: 'a removed service with what is torn down',
      change: { service: 'old', change: 'removed', fields: [] },
      expected: '  - old  tear down 2 replicas: not in the file any more',
    },
    {
      name: 'a removed service that has no replicas',
      change: { service: 'idle', change: 'removed', fields: [] },
      expected: '  - idle  remove; it has no replicas: not in the file any more',
    },
    {
      name: 'a scaled service from and to',
      change: { service: 'web', change: 'scaled', fields: ['replicas'] },
      expected: '  ~ web  scale 1 → 3',
    },
    {
      name: 'a revised service with what differs, in words of the file, and its new size',
      change: { service: 'web', change: 'revised', fields: ['replicas', 'template.image'] },
      expected: '  ~ web  new revision: image, scale 1 → 3',
    },
    {
      name: 'many differences cut short',
      change: { service: 'web', change: 'revised', fields: ['a', 'b', 'c', 'd', 'e', 'f'].map((f) => `template.${f}`) },
      expected: '  ~ web  new revision: a, b, c, d and 2 more, scale 1 → 3',
    },
    {
      name: 'what touches no replica',
      change: { service: 'web', change: 'unchanged', fields: ['drainMs'] },
      expected: '  ~ web  no replica is touched: drainMs',
    },
    {
      name: 'nothing',
      change: { service: 'web', change: 'unchanged', fields: [] },
      expected: '  nothing to change',
    },
  ])('tells of $name', ({ change, expected }) => {
    const preview = aPreview({ changes: [change] });
    expect(renderPreview({ preview, wanted, before })).toEqual([expected]);
  });
});
