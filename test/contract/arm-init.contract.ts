/**
 * Init containers of container groups, asked through the real client, like `arm.contract.ts`. Bound to targets by `arm.test.ts` and, with Docker, by
 * `test/docker/arm.test.ts`.
 */
import type { ContainerGroup, InitContainerDefinition } from '@azure/arm-containerinstance';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ArmTarget, failure, groupName, names, Session, spec, webOf } from '../support/arm-session.ts';

const init = (name: string, script: string, over: object = {}): InitContainerDefinition => ({
  name,
  image: 'busybox',
  command: ['sh', '-c', script],
  ...over,
});
const withInit = (initContainers: readonly InitContainerDefinition[], over: Partial<ContainerGroup> = {}) =>
  spec({ initContainers: [...initContainers], ...over });

export function runArmInitContract(name: string, connect: () => Promise<ArmTarget>): void {
  describe(name, () => {
    let target: ArmTarget;
    let session: Session;
    beforeAll(async () => {
      target = await connect();
      session = new Session(target);
    });
    afterAll(() => target?.close());

    const until = (what: string, of: string, condition: (group: ContainerGroup) => boolean) =>
      target.until(what, async () => condition(await session.get(of)));
    const logs = async (of: string, container: string) =>
      (await session.client.containers.listLogs(target.resourceGroup, of, container)).content;

    it('run in their order, each to its end, before the containers start; the create waits for all of it', async () => {
      const first = init('first', 'echo one; sleep 1');
      const created = await session.create(withInit([first, init('second', 'echo two; sleep 1')]));
      const group = await session.get(created.name);
      const [one, two] = group.initContainers?.map(({ instanceView }) => instanceView) ?? [];
      for (const view of [one, two]) {
        expect(view).toMatchObject({ restartCount: 0, currentState: { state: 'Terminated', exitCode: 0 } });
        expect(names(view?.events)).toEqual(['Pulling', 'Pulled', 'Created', 'Started']);
      }
      const startOf = (view?: typeof one) => Number(view?.currentState?.startTime);
      const endOf = (view?: typeof one) => Number(view?.currentState?.finishTime);
      expect(startOf(two)).toBeGreaterThanOrEqual(endOf(one));
      expect(Number(webOf(group)?.currentState?.startTime)).toBeGreaterThanOrEqual(endOf(two));
      expect(group).toMatchObject({ provisioningState: 'Succeeded', instanceView: { state: 'Running' } });
    });

    it('have logs of their own', async () => {
      const { name: of } = await session.create(withInit([init('noisy', 'echo hello')]));
      await target.until('its log is there', async () => (await logs(of, 'noisy')) !== '');
      expect(await logs(of, 'noisy')).not.toBe(await logs(of, 'web'));
      expect(await failure(logs(of, 'nobody'))).toMatchObject({ code: 'ContainerNotFound' });
    });

    it('keep the containers waiting while they run', async () => {
      const of = groupName();
      await session.begin(of, withInit([init('slow', 'sleep 600')]));
      await until('the init container runs', of, ({ initContainers }) => {
        return initContainers?.[0]?.instanceView?.currentState?.state === 'Running';
      });
      const group = await session.get(of);
      expect(webOf(group)).toMatchObject({ currentState: { state: 'Waiting' }, events: [] });
      expect(group.instanceView?.state).toBe('Pending');
      expect(group.provisioningState).toBe('Creating');
      await session.remove(of);
    });

    it.each(['Always', 'OnFailure'])(
      'are tried again when they fail, with restart policy %s',
      async (restartPolicy) => {
        const of = groupName();
        await session.begin(of, withInit([init('broken', 'exit 3')], { restartPolicy }));
        await until('it is tried again', of, ({ initContainers }) => {
          return (initContainers?.[0]?.instanceView?.restartCount ?? 0) > 0;
        });
        const group = await session.get(of);
        expect(group.initContainers?.[0]?.instanceView?.previousState).toMatchObject({ exitCode: 3 });
        expect(names(group.initContainers?.[0]?.instanceView?.events)).toContain('BackOff');
        expect(webOf(group)?.events).toEqual([]);
        await session.remove(of);
      },
    );

    it('end the group when they fail and the restart policy is Never', async () => {
      const of = groupName();
      const poller = await session.begin(of, withInit([init('broken', 'exit 3')], { restartPolicy: 'Never' }));
      await until('it failed', of, ({ provisioningState }) => provisioningState === 'Failed');
      const group = await session.get(of);
      expect(group.instanceView?.state).toBe('Failed');
      expect(group.initContainers?.[0]?.instanceView?.currentState).toMatchObject({ state: 'Terminated', exitCode: 3 });
      expect(webOf(group)?.events).toEqual([]);
      expect((await failure(poller.pollUntilDone())).message).toMatch(/InitContainerFailed.*exited with code 3/);
    });

    it('fail the create when their image cannot be had', async () => {
      const of = groupName();
      await session.begin(of, withInit([init('missing', 'true', { image: 'registry.invalid/nobody/nothing:1' })]));
      await until('it failed', of, ({ provisioningState }) => provisioningState === 'Failed');
      const group = await session.get(of);
      expect(names(group.initContainers?.[0]?.instanceView?.events)).toEqual(['Pulling', 'Failed', 'BackOff']);
      expect(webOf(group)?.events).toEqual([]);
    });

    it('are shown without instance view in lists, and secure values never', async () => {
      const secret = { environmentVariables: [{ name: 'TOKEN', secureValue: 'hunter2' }] };
      const { name: of } = await session.create(withInit([init('quiet', 'true', secret)]));
      const shown = (await session.get(of)).initContainers?.[0];
      expect(shown?.environmentVariables).toEqual([{ name: 'TOKEN' }]);
      for await (const listed of session.client.containerGroups.listByResourceGroup(target.resourceGroup)) {
        if (listed.name === of) expect(listed.initContainers?.[0]?.instanceView).toBeUndefined();
      }
    });

    it.each(['ports', 'resources', 'livenessProbe', 'readinessProbe'])('cannot have %s', async (field) => {
      const body = {
        location: 'eastus',
        properties: {
          osType: 'Linux',
          containers: [
            { name: 'web', properties: { image: 'flotilla/http', resources: { requests: { cpu: 1, memoryInGB: 1 } } } },
          ],
          initContainers: [{ name: 'first', properties: { image: 'busybox', [field]: {} } }],
        },
      };
      const answer = await session.raw('PUT', session.path(groupName()), body);
      expect(answer).toMatchObject({ status: 400, body: { error: { code: 'InvalidInitContainer' } } });
    });
  });
}
