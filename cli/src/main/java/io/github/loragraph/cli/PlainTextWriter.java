package io.github.loragraph.cli;

import io.github.loragraph.error.PlainText;
import java.io.IOException;
import java.io.Writer;

/**
 * Through which everything is printed that may hold words from a file: what a terminal could take
 * for a command is written as an escape, which in JSON means the same character.
 */
final class PlainTextWriter extends Writer {
  private final Writer out;

  PlainTextWriter(Writer out) {
    this.out = out;
  }

  @Override
  public void write(char[] buffer, int offset, int length) throws IOException {
    out.write(PlainText.of(new String(buffer, offset, length)));
  }

  @Override
  public void flush() throws IOException {
    out.flush();
  }

  /** The writer below belongs to the command line, which prints on. */
  @Override
  public void close() throws IOException {
    out.flush();
  }
}
