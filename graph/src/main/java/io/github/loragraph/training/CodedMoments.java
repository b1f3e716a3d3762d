package io.github.loragraph.training;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.GraphBuilder;
import io.github.loragraph.onnx.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Moments as codes in blocks (after Dettmers et al., "8-bit Optimizers via Block-wise
 * Quantization", 2022). A block has one scale, by which its largest moment has the largest code.
 * The codes are those of the square root of a first moment with its sign, and of the fourth root of
 * a second one: so the small ones of a block are told apart, too.
 *
 * <p>Codes are rounded up or down by chance, so that they are right in the mean: a second moment
 * changes by a thousandth in a step, which is less than half a code, and would never move again if
 * it were rounded to the nearest one. The chance follows from the step and the place in the tile
 * alone ({@link #noise}). A second moment has never the code 0, since it is divided by.
 *
 * @param blocks of a tile
 * @param block elements of each
 */
record CodedMoments(Moments moments, long blocks, long block) {
  /** Steps along a tile and along time: the two-dimensional golden ratio, odd, in 16 bits. */
  private static final long ALONG_TILE = 49_471;

  private static final long ALONG_TIME = 37_345;
  private static final long PERIOD = 1 << 16;

  /** What keeps a block of zeros from a division by zero, far below any moment's root. */
  private static final double NOTHING = 1e-18;

  /** Just enough to be rounded to the code 1. */
  private static final double LEAST = 0.51;

  /** A moment's codes, of a tile's shape, and its blocks' scales. */
  record Coded(String codes, String scales) {}

  /**
   * The FLOAT matrix (blocks, block) of numbers in [-1/2, 1/2) that are added to codes before they
   * are rounded.
   *
   * @param step names an INT64 scalar
   */
  String noise(GraphBuilder b, String step) {
    String place =
        b.op(
            "Range",
            b.scalar(ElementType.INT64, 0),
            b.scalar(ElementType.INT64, blocks * block),
            b.scalar(ElementType.INT64, 1));
    String along =
        b.add(
            b.mul(place, b.scalar(ElementType.INT64, ALONG_TILE)),
            b.mul(step, b.scalar(ElementType.INT64, ALONG_TIME)));
    String rest =
        b.cast(b.op("Mod", along, b.scalar(ElementType.INT64, PERIOD)), ElementType.FLOAT);
    String number =
        b.sub(
            b.mul(rest, b.scalar(ElementType.FLOAT, 1.0 / PERIOD)),
            b.scalar(ElementType.FLOAT, 0.5));
    return b.reshape(number, blocks, block);
  }

  /** A first moment, of shape (blocks, block). */
  String first(GraphBuilder b, Coded coded) {
    String root = decoded(b, coded);
    return b.mul(root, b.op("Abs", root));
  }

  /** A second moment, of shape (blocks, block). */
  String second(GraphBuilder b, Coded coded) {
    String fourthRoot = decoded(b, coded);
    String root = b.mul(fourthRoot, fourthRoot);
    return b.mul(root, root);
  }

  private String decoded(GraphBuilder b, Coded coded) {
    return b.op(
        "DequantizeLinear",
        n -> n.with("axis", 0),
        b.reshape(coded.codes(), blocks, block),
        coded.scales());
  }

  /**
   * The codes of a first moment.
   *
   * @param noise names what {@link #noise} makes
   */
  Coded codedFirst(GraphBuilder b, String moment, String noise) {
    String root =
        b.sqrt(b.add(b.op("Abs", moment), b.scalar(ElementType.FLOAT, NOTHING * NOTHING)));
    String scales = scales(b, root, moments.firstLevels());
    String shifted = b.add(b.div(moment, root), b.mul(noise, scales));
    return coded(b, shifted, scales, moments.first());
  }

  /** The codes of a second moment. */
  Coded codedSecond(GraphBuilder b, String moment, String noise) {
    String fourthRoot = b.sqrt(b.sqrt(moment));
    String scales = scales(b, fourthRoot, moments.secondLevels());
    String shifted = b.add(fourthRoot, b.mul(noise, scales));
    String least = b.mul(scales, b.scalar(ElementType.FLOAT, LEAST));
    return coded(b, b.op("Max", shifted, least), scales, moments.second());
  }

  /** Of shape (blocks, 1). */
  private static String scales(GraphBuilder b, String roots, int levels) {
    String largest = b.reduce("ReduceMax", roots, b.longs(-1), true);
    return b.mul(
        b.add(largest, b.scalar(ElementType.FLOAT, NOTHING)),
        b.scalar(ElementType.FLOAT, 1.0 / levels));
  }

  private Coded coded(GraphBuilder b, String values, String scales, ElementType type) {
    String flat = b.reshape(scales, blocks);
    ByteBuffer zeros =
        ByteBuffer.allocate(Math.toIntExact(blocks * type.bytes())).order(ByteOrder.LITTLE_ENDIAN);
    String zeroPoints =
        b.initializer(Tensor.of(b.graph().freshName(b.scope() + "/zeros"), type, zeros, blocks));
    String codes = b.op("QuantizeLinear", n -> n.with("axis", 0), values, flat, zeroPoints);
    return new Coded(b.reshape(codes, blocks * block), flat);
  }
}
