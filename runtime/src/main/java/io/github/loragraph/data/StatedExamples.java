package io.github.loragraph.data;

import io.github.loragraph.onnx.HalfPrecision;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.AbstractList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.RandomAccess;

/**
 * Examples with what the frozen part of a model made of each of them: further inputs, which lie in
 * a mapped file and are read when an example is asked for. One thread writes them, once; then any
 * number of threads may read.
 */
public final class StatedExamples extends AbstractList<Example> implements RandomAccess {
  private final List<Example> examples;
  private final List<String> states;
  private final boolean half;
  private final MappedFile file;

  /** Where each state of each example begins, by state; -1 until it is there. */
  private final long[][] begins;

  private final int[][][] shapes;

  /**
   * @param examples without the states
   * @param states their names
   * @param half whether numbers are kept as FLOAT16, and read again as such
   * @param file is written anew, and belongs to who asks for it
   */
  public StatedExamples(List<Example> examples, List<String> states, boolean half, Path file) {
    this.examples = examples;
    this.states = List.copyOf(states);
    this.half = half;
    this.file = MappedFile.create(file);
    this.begins = new long[states.size()][examples.size()];
    this.shapes = new int[states.size()][examples.size()][];
  }

  /**
   * Keeps a state of an example.
   *
   * @param state its place among the names
   * @param values row-major
   * @throws io.github.loragraph.error.LoraGraphException if the disk has no room
   */
  public void put(int index, int state, FloatBuffer values, int... shape) {
    int count = values.remaining();
    int bytes = Math.multiplyExact(count, half ? Short.BYTES : Float.BYTES);
    long begin = file.room(bytes, Float.BYTES);
    ByteBuffer place = file.bytes(begin, bytes);
    if (half) {
      for (int i = 0; i < count; i++) {
        place.putShort(HalfPrecision.fromFloat(values.get(values.position() + i)));
      }
    } else {
      place.asFloatBuffer().put(values.duplicate());
    }
    begins[state][index] = begin;
    shapes[state][index] = shape;
  }

  private Values state(int index, int state) {
    int[] shape = shapes[state][index];
    int count = 1;
    for (int size : shape) {
      count *= size;
    }
    return Values.stored(
        file.bytes(begins[state][index], count * (half ? Short.BYTES : Float.BYTES)), half, shape);
  }

  @Override
  public Example get(int index) {
    Example example = examples.get(index);
    Map<String, Values> inputs = new HashMap<>(example.inputs());
    for (int i = 0; i < states.size(); i++) {
      inputs.put(states.get(i), state(index, i));
    }
    return new Example(inputs, example.target(), example.words());
  }

  @Override
  public int size() {
    return examples.size();
  }

  /** The examples without the states. */
  List<Example> without() {
    return examples;
  }

  /** The bytes of the file. */
  public long bytes() {
    return file.size();
  }
}
