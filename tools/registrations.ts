/**
 * Loads a built function app as the Functions host does and prints what it registers, one line per function; a file that fails to load, or
 * an app that registers nothing, is an error. Own process, because `@azure/functions` keeps the first core it gets.
 *
 *     node tools/registrations.ts APP_DIR
 */
import { loadApp } from '../src/local/host/core.ts';
import { registrationList } from '../src/local/host/registrations.ts';

const [appDir] = process.argv.slice(2);
if (appDir === undefined) throw new Error('usage: node tools/registrations.ts APP_DIR');
const app = await loadApp({ appDir, log: (level, _category, message) => console.error(`${level}: ${message}`) });
console.log(registrationList(app).join('\n'));
