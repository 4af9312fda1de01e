/** Version of the app as a value, because code that the Functions host loads finds no package.json at a known place. */
export const version = '0.1.0';
