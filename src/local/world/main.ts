/** The world as a supervised process; its JSON argument is a {@link WorldConfig}. */
import { runChild } from '../child.ts';
import { startWorld, type WorldConfig } from './world.ts';

runChild<WorldConfig>(startWorld);
