package io.github.loragraph.models;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;

/** Puts weights without meaning into a graph. */
final class RandomWeights {
  private final GraphBuilder b;
  private final long seed;

  RandomWeights(GraphBuilder b, long seed) {
    this.b = b;
    this.seed = seed;
  }

  /** N(mean, deviation) outside the heap, by a generator of its own for each tensor. */
  String of(String name, double deviation, double mean, long... dims) {
    long count = 1;
    for (long d : dims) {
      count *= d;
    }
    ByteBuffer bytes =
        ByteBuffer.allocateDirect(Math.toIntExact(count * 4)).order(ByteOrder.LITTLE_ENDIAN);
    SplittableRandom generator = new SplittableRandom(seed * 31 + name.hashCode());
    for (long i = 0; i < count; i++) {
      bytes.putFloat((float) (mean + deviation * generator.nextGaussian()));
    }
    return b.initializer(Tensor.of(name, ElementType.FLOAT, bytes.flip(), dims));
  }
}
