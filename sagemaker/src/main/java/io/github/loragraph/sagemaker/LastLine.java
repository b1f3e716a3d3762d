package io.github.loragraph.sagemaker;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.Writer;

/** Hands on what is written, and keeps its last line. */
final class LastLine extends FilterWriter {
  private final StringBuilder line = new StringBuilder();
  private String last = "";

  LastLine(Writer out) {
    super(out);
  }

  /** The last line that was not empty. */
  String text() {
    return line.length() > 0 ? line.toString() : last;
  }

  @Override
  public void write(int c) throws IOException {
    out.write(c);
    if (c != '\n' && c != '\r') {
      line.append((char) c);
    } else if (line.length() > 0) {
      last = line.toString();
      line.setLength(0);
    }
  }

  @Override
  public void write(char[] characters, int offset, int length) throws IOException {
    for (int i = offset; i < offset + length; i++) {
      write(characters[i]);
    }
  }

  @Override
  public void write(String text, int offset, int length) throws IOException {
    write(text.toCharArray(), offset, length);
  }
}
