import { describe, expect, it } from 'vitest';
import { createTerminal } from '../../../src/cli/terminal.ts';

/** What a person sees: lines, with cursor movements carried out. */
function screen(size: { readonly columns: number; readonly rows: number }) {
  let lines: string[] = [''];
  const write = (text: string) => {
    if (text.startsWith('\r\u001b[')) {
      lines = [...lines.slice(0, lines.length - 1 - Number.parseInt(text.slice(3), 10)), ''];
      return;
    }
    const [first = '', ...others] = text.split('\n');
    lines[lines.length - 1] += first;
    lines.push(...others);
  };
  return { stream: { isTTY: true, ...size, write }, seen: () => lines.slice(0, -1) };
}

describe('the terminal', () => {
  it('keeps the status below the lines that scroll by', () => {
    const { stream, seen } = screen({ columns: 80, rows: 24 });
    const terminal = createTerminal(stream, stream);
    terminal.line('one');
    terminal.status(['status 1', 'status 2']);
    terminal.line('two');
    terminal.note('three');
    expect(seen()).toEqual(['one', 'two', 'three', 'status 1', 'status 2']);
    terminal.status(['status 3']);
    expect(seen()).toEqual(['one', 'two', 'three', 'status 3']);
    terminal.status([]);
    expect(seen()).toEqual(['one', 'two', 'three']);
  });

  it('cuts a status that is wider or higher than the screen, because it could not be erased', () => {
    const { stream, seen } = screen({ columns: 8, rows: 3 });
    createTerminal(stream, stream).status(['first', 'second line', 'third']);
    expect(seen()).toEqual(['second…', 'third']);
  });

  it('writes only lines into a pipe', () => {
    const written: string[] = [];
    const pipe = { write: (text: string) => written.push(text) };
    const terminal = createTerminal(pipe, pipe);
    terminal.status(['status']);
    terminal.line('one');
    terminal.status([]);
    expect(written).toEqual(['one\n']);
  });
});
