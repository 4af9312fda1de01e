/** What the world's named draws can do to a request; 0 is always harmless. */
import { describe, expect, it } from 'vitest';
import { createArmCore } from '../../../../src/local/aci/core.ts';
import { DEFAULT_SETTINGS } from '../../../../src/local/aci/settings.ts';
import { createMemoryAciStore } from '../../../../src/local/aci/store.ts';
import { standinContainers } from '../../../../src/local/containers/catalogue.ts';
import type { Draw } from '../../../../src/local/core.ts';

const path = `/subscriptions/${DEFAULT_SETTINGS.subscriptionIds[0]}/resourceGroups/flotilla/providers/Microsoft.ContainerInstance/containerGroups/g?api-version=2023-05-01`;

function world() {
  const store = createMemoryAciStore();
  const core = createArmCore({ store, authorize: () => true, containers: standinContainers });
  const put = (draw: Draw, image = 'flotilla/http') => {
    const properties = { image, resources: { requests: { cpu: 1, memoryInGB: 1 } } };
    const body = JSON.stringify({
      location: 'East US',
      properties: { osType: 'Linux', containers: [{ name: 'main', properties }] },
    });
    return core.handle({ method: 'PUT', url: path, headers: {}, body }, 0, draw);
  };
  return { store, put };
}

describe('draws', () => {
  it('are asked by name, so that one more request elsewhere moves none of them', () => {
    const asked: string[] = [];
    world().put((key) => {
      asked.push(key);
      return 0;
    }, 'nobody/nothing');
    expect(asked).toEqual(['arm create g/fault', 'arm create g/image-refused-at-once']);
  });

  it.each([
    { fault: 0, status: 201, dropped: undefined, takesEffect: true },
    { fault: 1, status: 429, dropped: undefined, takesEffect: false },
    { fault: 2, status: 503, dropped: undefined, takesEffect: false },
    { fault: 3, status: 500, dropped: undefined, takesEffect: true },
    { fault: 4, status: undefined, dropped: true, takesEffect: false },
    { fault: 5, status: undefined, dropped: true, takesEffect: true },
  ])(
    'fault $fault: status $status, dropped $dropped, takes effect $takesEffect',
    ({ fault, status, dropped, takesEffect }) => {
      const { store, put } = world();
      const answer = put((key) => (key.endsWith('/fault') ? fault : 0));
      if (status !== undefined) expect(answer.status).toBe(status);
      expect(answer.dropped).toBe(dropped);
      expect(store.groups()).toHaveLength(takesEffect ? 1 : 0);
    },
  );

  it('may refuse an image at once that otherwise fails while it is pulled', () => {
    const { store, put } = world();
    const answer = put((key) => (key.endsWith('image-refused-at-once') ? 1 : 0), 'nobody/nothing');
    expect(answer.status).toBe(400);
    expect(answer.body).toContain('InaccessibleImage');
    expect(store.groups()).toEqual([]);
    expect(store.audit(0)).toEqual([]);
  });
});
