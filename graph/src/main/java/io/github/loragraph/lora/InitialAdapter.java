package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.linalg.Matrix;
import io.github.loragraph.linalg.Qr;
import io.github.loragraph.linalg.Svd;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.zip.CRC32;

/**
 * The matrices of an adapter before training, as {@link LoraInit} says. Random numbers follow from
 * the seed and the path's CRC-32, so that an adapter starts the same whichever others there are.
 *
 * @param a lora_A (in, r)
 * @param b lora_B (r, out)
 */
record InitialAdapter(float[] a, float[] b) {
  /** What PEFT divides the random numbers of orthogonal starts by. */
  private static final double ORTHOGONAL = 10;

  /**
   * @param scale what the product of the two counts
   * @throws LoraGraphException if the rank is odd, and the start wants an even one, or the weight
   *     is not finite, and the start is made of it
   */
  static InitialAdapter of(
      LoraInit init, Linear linear, WeightMatrix weight, int rank, double scale, long seed) {
    Random random = random(linear.path(), seed);
    int in = weight.in();
    int out = weight.out();
    return switch (init) {
      case NORMAL ->
          new InitialAdapter(normal(random, in * rank, 1 / Math.sqrt(in)), new float[rank * out]);
      case GAUSSIAN ->
          new InitialAdapter(normal(random, in * rank, 1.0 / rank), new float[rank * out]);
      case KAIMING ->
          new InitialAdapter(uniform(random, in * rank, 1 / Math.sqrt(in)), new float[rank * out]);
      case ORTHOGONAL -> orthogonal(random, linear.path(), in, out, rank);
      case PISSA -> pissa(Matrix.of(in, out, weight.toArray()), rank, scale);
      case OLORA -> olora(Matrix.of(in, out, weight.toArray()), rank);
    };
  }

  private static Random random(String path, long seed) {
    CRC32 hash = new CRC32();
    hash.update(path.getBytes(StandardCharsets.UTF_8));
    return new Random(seed * 0x9e3779b97f4a7c15L + hash.getValue());
  }

  private static float[] normal(Random random, int count, double deviation) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) (random.nextGaussian() * deviation);
    }
    return values;
  }

  private static float[] uniform(Random random, int count, double bound) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
    }
    return values;
  }

  private static Matrix normal(Random random, int rows, int columns) {
    double[] values = new double[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextGaussian();
    }
    return Matrix.of(rows, columns, values);
  }

  /** The odd rows of an orthogonal matrix on one side, the even ones on the other. */
  private static InitialAdapter orthogonal(Random random, String path, int in, int out, int rank) {
    if (rank % 2 != 0) {
      throw new LoraGraphException(
          "an orthogonal start needs an even rank, and that of '%s' is %d".formatted(path, rank));
    }
    Matrix q = Qr.of(normal(random, rank, rank)).q();
    double[] odd = new double[rank / 2 * rank];
    double[] even = new double[rank / 2 * rank];
    for (int row = 0; row < rank; row++) {
      for (int column = 0; column < rank; column++) {
        (row % 2 == 0 ? odd : even)[row / 2 * rank + column] = q.get(row, column);
      }
    }
    Matrix left = normal(random, in, rank / 2).times(Matrix.of(rank / 2, rank, odd));
    Matrix right =
        Matrix.of(rank / 2, rank, even).transposed().times(normal(random, rank / 2, out));
    return new InitialAdapter(
        left.times(1 / ORTHOGONAL).toFloats(), right.times(1 / ORTHOGONAL).toFloats());
  }

  private static InitialAdapter pissa(Matrix weight, int rank, double scale) {
    Svd svd = Svd.leading(weight, rank).truncated(rank);
    double[] roots = new double[rank];
    for (int k = 0; k < rank; k++) {
      roots[k] = Math.sqrt(svd.values()[k] / scale);
    }
    return new InitialAdapter(
        scaledColumns(svd.u(), roots).toFloats(),
        scaledColumns(svd.v(), roots).transposed().toFloats());
  }

  private static Matrix scaledColumns(Matrix matrix, double[] factors) {
    double[] values = matrix.toArray();
    for (int i = 0; i < values.length; i++) {
      values[i] *= factors[i % matrix.columns()];
    }
    return Matrix.of(matrix.rows(), matrix.columns(), values);
  }

  /** PyTorch's weight (out, in) is QR: what counts of it are r columns of Q and rows of R. */
  private static InitialAdapter olora(Matrix weight, int rank) {
    Matrix q = Qr.of(weight.transposed().firstColumns(rank)).q();
    return new InitialAdapter(weight.times(q).toFloats(), q.transposed().toFloats());
  }
}
