package io.github.loragraph.engine;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtSession;
import io.github.loragraph.data.HostTensor;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.training.StepGraph;
import io.github.loragraph.training.StepLoop;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * A call is a loop over several steps. What it stacks lies in memory that is used again by the next
 * call.
 */
final class LoopCall implements StepCall {
  private final StepLoop loop;
  private final int most;
  private final Map<String, ByteBuffer> memory = new HashMap<>();

  LoopCall(StepLoop loop, int most) {
    this.loop = loop;
    this.most = most;
  }

  @Override
  public int most() {
    return most;
  }

  @Override
  public OnnxModel model() {
    return loop.model();
  }

  @Override
  public List<HostTensor> inputs(List<List<HostTensor>> steps) {
    List<HostTensor> inputs = new ArrayList<>();
    for (HostTensor first : steps.get(0)) {
      List<HostTensor> layers = new ArrayList<>();
      for (List<HostTensor> step : steps) {
        layers.add(
            step.stream().filter(t -> t.name().equals(first.name())).findFirst().orElseThrow());
      }
      inputs.add(stack(layers));
      if (first.shape().length > 0) {
        inputs.add(shapes(layers));
      }
    }
    return inputs;
  }

  /** Each layer in the corner of a place as large as the largest; what is around it is zero. */
  private HostTensor stack(List<HostTensor> layers) {
    HostTensor first = layers.get(0);
    int rank = first.shape().length;
    long[] shape = new long[rank + 1];
    shape[0] = layers.size();
    for (HostTensor layer : layers) {
      for (int axis = 0; axis < rank; axis++) {
        shape[axis + 1] = Math.max(shape[axis + 1], layer.shape()[axis]);
      }
    }
    int elementBytes = first.type().bytes();
    String name = StepLoop.stack(first.name());
    ByteBuffer data = buffer(name, elements(shape, 0) * elementBytes);
    if (layers.stream().anyMatch(layer -> !isAsLarge(layer, shape))) {
      clear(data);
    }
    int layerBytes = Math.toIntExact(elements(shape, 1) * elementBytes);
    for (int i = 0; i < layers.size(); i++) {
      place(layers.get(i), shape, data, i * layerBytes, elementBytes);
    }
    return new HostTensor(name, first.type(), shape, data);
  }

  private static boolean isAsLarge(HostTensor layer, long[] stack) {
    return Arrays.equals(layer.shape(), 0, stack.length - 1, stack, 1, stack.length);
  }

  private static void clear(ByteBuffer data) {
    int i = 0;
    for (; i + Long.BYTES <= data.limit(); i += Long.BYTES) {
      data.putLong(i, 0);
    }
    for (; i < data.limit(); i++) {
      data.put(i, (byte) 0);
    }
  }

  /** Copies a layer row by row: rows lie along the last axis. */
  private static void place(
      HostTensor layer, long[] shape, ByteBuffer target, int at, int elementBytes) {
    long[] own = layer.shape();
    int row = (own.length == 0 ? 1 : (int) own[own.length - 1]) * elementBytes;
    int rows = row == 0 ? 0 : layer.data().limit() / row;
    long[] index = new long[own.length];
    for (int r = 0; r < rows; r++) {
      long offset = 0;
      for (int axis = 0; axis < own.length; axis++) {
        offset = offset * shape[axis + 1] + index[axis];
      }
      target.put(at + (int) offset * elementBytes, layer.data(), r * row, row);
      for (int axis = own.length - 2; axis >= 0 && ++index[axis] == own[axis]; axis--) {
        index[axis] = 0;
      }
    }
  }

  private HostTensor shapes(List<HostTensor> layers) {
    int rank = layers.get(0).shape().length;
    String name = StepLoop.shapes(layers.get(0).name());
    ByteBuffer data = buffer(name, (long) layers.size() * rank * Long.BYTES);
    for (HostTensor layer : layers) {
      for (long size : layer.shape()) {
        data.putLong(size);
      }
    }
    return new HostTensor(name, ElementType.INT64, new long[] {layers.size(), rank}, data.flip());
  }

  private static long elements(long[] shape, int from) {
    long count = 1;
    for (int axis = from; axis < shape.length; axis++) {
      count *= shape[axis];
    }
    return count;
  }

  private ByteBuffer buffer(String name, long bytes) {
    int size = Math.toIntExact(bytes);
    ByteBuffer known = memory.get(name);
    if (known == null || known.capacity() < size) {
      known = ByteBuffer.allocateDirect(size + size / 2);
      memory.put(name, known);
    }
    return known.duplicate().order(ByteOrder.nativeOrder()).clear().limit(size);
  }

  @Override
  public String input(StepGraph.Carried carried) {
    return StepLoop.start(carried.input());
  }

  @Override
  public String output(StepGraph.Carried carried) {
    return StepLoop.end(carried.input());
  }

  @Override
  public String output(String figure) {
    return StepLoop.history(figure);
  }

  @Override
  public float[] figure(OrtSession.Result result, String figure) {
    FloatBuffer values =
        ((OnnxTensor) result.get(StepLoop.history(figure)).orElseThrow()).getFloatBuffer();
    float[] copy = new float[values.remaining()];
    values.get(copy);
    return copy;
  }
}
