package io.github.loragraph.sagemaker;

import java.io.FilterWriter;
import java.io.IOException;
import java.io.Writer;

/**
 * Hands on what commands say, and keeps the last line that says why one has failed, and the last
 * one of all: a JVM that does not start has words of its own.
 */
final class FailureLine extends FilterWriter {
  /** How the program begins what it refuses or fails with. */
  private static final String BEGIN = "lora-graph: ";

  private final StringBuilder line = new StringBuilder();
  private String last = "";
  private String lastOfAll = "";

  FailureLine(Writer out) {
    super(out);
  }

  /** Without the program's name; empty where nothing has failed. */
  String text() {
    return last;
  }

  /** The last line that is not empty, whoever said it. */
  String lastLine() {
    return lastOfAll;
  }

  @Override
  public void write(int c) throws IOException {
    out.write(c);
    if (c != '\n' && c != '\r') {
      line.append((char) c);
    } else {
      if (line.indexOf(BEGIN) == 0) {
        last = line.substring(BEGIN.length());
      }
      if (!line.isEmpty()) {
        lastOfAll = line.toString();
      }
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
