/** The generators by hand: what they yield for what they are given, and that the same history gives the same actions. */
import type { OrchestrationContext } from 'durable-functions';
import { describe, expect, it } from 'vitest';
import type { Step } from '../../../src/model/plan.ts';
import { app } from '../../../src/orchestrations/app.ts';
import { walk } from '../../../src/orchestrations/walk.ts';

const start = Date.parse('2026-01-02T03:04:05Z');
const id = 'deployment:shop.web:1';

/** Tasks as text, so that a whole history reads as a list. */
function stage(orchestrator: (context: OrchestrationContext) => Generator<unknown, unknown, unknown>, input: unknown) {
  const clock = { now: start };
  const said: string[] = [];
  const inputs: unknown[] = [];
  let timer: { isCompleted: boolean; cancelled: boolean; cancel(): void } | undefined;
  const df = {
    instanceId: id,
    get currentUtcDateTime() {
      return new Date(clock.now);
    },
    getInput: () => input,
    callActivity(name: string, value: { slot?: number }) {
      inputs.push(value);
      return value.slot === undefined ? name : `${name} ${value.slot}`;
    },
    createTimer(fireAt: Date) {
      const made = {
        isCompleted: false,
        cancelled: false,
        cancel() {
          made.cancelled = true;
        },
        toString: () => `timer +${fireAt.getTime() - clock.now}`,
      };
      timer = made;
      return made;
    },
    waitForExternalEvent: (name: string) => `event ${name}`,
    continueAsNew: (value: unknown) => said.push(`continueAsNew ${JSON.stringify(value)}`),
    Task: {
      all: (tasks: unknown[]) => `all(${tasks.join(', ')})`,
      any: (tasks: unknown[]) => `any(${tasks.join(', ')})`,
    },
  };
  const generator = orchestrator({ df } as unknown as OrchestrationContext);
  const note = (turn: IteratorResult<unknown>) => {
    said.push(turn.done ? `returns ${JSON.stringify(turn.value)}` : String(turn.value));
  };
  note(generator.next());
  return {
    clock,
    said,
    /** Of all calls of activities. */
    inputs,
    timer: () => timer,
    give: (value: unknown) => note(generator.next(value)),
    fail: () => note(generator.throw(new Error('worker died'))),
  };
}

const plan = (over: object = {}) => ({
  outcome: 'continue',
  steps: [],
  wakeAt: start + 5_000,
  atOnce: false,
  guardEtag: 'tag',
  ...over,
});
const steps = (count: number): Step[] =>
  Array.from({ length: count }, (_, slot) => ({
    kind: 'createGroup',
    app: 'shop',
    service: 'web',
    slot,
    incarnation: 1,
    epoch: 1,
    attempt: 'a',
  }));
const target = { app: 'shop', service: 'web' };

describe('walk', () => {
  it('passes, waits for a hint or the instant, passes again', () => {
    const { said, give, clock } = stage(walk, target);
    give(plan());
    clock.now += 5_000;
    give(undefined);
    expect(said).toEqual(['pass', 'any(event hint, timer +5000)', 'pass']);
  });

  it('cancels the timer that lost, and only that', () => {
    const hinted = stage(walk, target);
    hinted.give(plan());
    hinted.give(undefined);
    expect(hinted.timer()?.cancelled).toBe(true);
    const waited = stage(walk, target);
    waited.give(plan());
    const timer = waited.timer();
    if (timer !== undefined) timer.isCompleted = true;
    waited.give(undefined);
    expect(timer?.cancelled).toBe(false);
  });

  it('does not wait when the plan wants to go on at once', () => {
    const { said, give } = stage(walk, target);
    give(plan({ wakeAt: start, atOnce: true }));
    expect(said).toEqual(['pass', 'pass']);
  });

  it.each([
    ['a millisecond ahead', 1],
    ['a second ahead, which an early timer makes none', 1_000],
    ['past, as a host whose clock is behind says it', -60_000],
  ])('waits at least two seconds when the next look is %s', (_, ahead) => {
    const { said, give } = stage(walk, target);
    give(plan({ wakeAt: start + ahead }));
    expect(said.at(-1)).toBe('any(event hint, timer +2000)');
  });

  it('walks steps in waves of ten', () => {
    const { said, give } = stage(walk, target);
    give(plan({ steps: steps(23) }));
    give([]);
    give([]);
    give([]);
    expect(said.slice(1, 4).map((wave) => wave.split(',').length)).toEqual([10, 10, 3]);
    expect(said.at(-1)).toContain('any(');
  });

  it('ends at once when another workflow has taken over', () => {
    const { said, give } = stage(walk, target);
    give(plan({ outcome: 'superseded' }));
    expect(said).toEqual(['pass', 'returns {"outcome":"superseded"}']);
  });

  it('ends when the guard is released, and passes once more when it is not', () => {
    const done = stage(walk, target);
    done.give(plan({ outcome: 'done' }));
    done.give({ outcome: 'again' });
    done.give(plan({ outcome: 'done' }));
    done.give({ outcome: 'released' });
    expect(done.said).toEqual(['pass', 'finish', 'pass', 'finish', 'returns {"outcome":"released"}']);
  });

  it('survives a worker that dies under a pass, a step and the finish', () => {
    const { said, give, fail } = stage(walk, target);
    fail();
    give(undefined);
    give(plan({ steps: steps(1), outcome: 'done' }));
    fail();
    fail();
    expect(said).toEqual(['pass', 'any(event hint, timer +5000)', 'pass', 'all(createGroup 0)', 'finish', 'pass']);
  });

  it('begins a new generation long before 200 actions, right after an activity and never after a wait', () => {
    const { said, give } = stage(walk, target);
    while (!said.at(-1)?.startsWith('returns')) give(said.at(-1) === 'pass' ? plan() : undefined);
    expect(said.filter((one) => one === 'pass').length).toBeLessThan(50);
    expect(said.slice(-3)).toEqual([
      'pass',
      `continueAsNew ${JSON.stringify(target)}`,
      'returns {"outcome":"continued"}',
    ]);
  });

  it('gives the same actions for the same history', () => {
    const run = () => {
      const { said, give, fail } = stage(walk, target);
      give(plan({ steps: steps(12) }));
      give([]);
      fail();
      give(undefined);
      give(plan({ wakeAt: start, atOnce: true }));
      give(plan({ outcome: 'done' }));
      give({ outcome: 'released' });
      return said;
    };
    expect(run()).toEqual(run());
  });
});

describe('the assessor', () => {
  const seen = { orders: [{ service: 'web', order: { kind: 'hint', id } }], due: null, dueAt: null, again: false };

  it('assesses, gives its orders in one wave, settles, ends', () => {
    const { said, give } = stage(app, { app: 'shop' });
    give(seen);
    give([]);
    give({ again: false });
    expect(said).toEqual(['assess', 'all(startWorkflow)', 'settle', 'returns {"rounds":1}']);
  });

  it.each<[string, (play: ReturnType<typeof stage>) => void]>([
    ['was refused', ({ give }) => give([{ outcome: 'refused', detail: 'no answer' }])],
    ['was lost with its worker', ({ fail }) => fail()],
  ])('settles nothing when an order %s, but looks again', (_, end) => {
    const play = stage(app, { app: 'shop' });
    play.give(seen);
    end(play);
    expect(play.inputs.at(-1)).toMatchObject({ app: 'shop', again: true });
  });

  it('yields no empty wave, which would throw', () => {
    const { said, give } = stage(app, { app: 'shop' });
    give({ ...seen, orders: [] });
    expect(said).toEqual(['assess', 'settle']);
  });

  it('looks again a few times when things change under it, and then leaves it to the resync', () => {
    const { said, give } = stage(app, { app: 'shop' });
    for (let round = 0; round < 5; round += 1) {
      give({ ...seen, orders: [] });
      give({ again: true });
    }
    expect(said.at(-1)).toBe('returns {"rounds":5}');
  });
});
