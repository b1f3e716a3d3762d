package io.github.loragraph.bench;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;

/** Writes the few things of Python's pickle format, protocol 2, that a TorchScript file has. */
final class PickleWriter {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  PickleWriter() {
    out.write(0x80);
    out.write(2);
  }

  /** All that was written, with its end. */
  byte[] bytes() {
    out.write('.');
    return out.toByteArray();
  }

  /** A class or a function. */
  void global(String module, String name) {
    out.write('c');
    out.writeBytes((module + "\n" + name + "\n").getBytes(StandardCharsets.UTF_8));
  }

  void text(String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    out.write('X');
    fourBytes(bytes.length);
    out.writeBytes(bytes);
  }

  void number(long value) {
    // LONG1 with eight bytes takes any.
    out.write(0x8a);
    out.write(Long.BYTES);
    for (int i = 0; i < Long.BYTES; i++) {
      out.write((int) (value >> (8 * i)));
    }
  }

  void flag(boolean value) {
    out.write(value ? 0x88 : 0x89);
  }

  void none() {
    out.write('N');
  }

  /** Begins a tuple, or what is put into a dictionary. */
  void mark() {
    out.write('(');
  }

  void endTuple() {
    out.write('t');
  }

  void emptyTuple() {
    out.write(')');
  }

  void emptyDictionary() {
    out.write('}');
  }

  /** Puts names and values since the mark into the dictionary before it. */
  void putAll() {
    out.write('u');
  }

  /** Calls a function with a tuple. */
  void call() {
    out.write('R');
  }

  /** Makes an object of a class, with a tuple. */
  void make() {
    out.write(0x81);
  }

  /** Gives an object the state that follows it. */
  void build() {
    out.write('b');
  }

  /** What a tuple names, that lies elsewhere. */
  void persistent() {
    out.write('Q');
  }

  private void fourBytes(int value) {
    for (int i = 0; i < Integer.BYTES; i++) {
      out.write(value >> (8 * i));
    }
  }
}
