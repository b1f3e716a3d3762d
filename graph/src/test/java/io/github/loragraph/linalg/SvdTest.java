package io.github.loragraph.linalg;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.loragraph.error.LoraGraphException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Decompositions against the identities that define them. */
class SvdTest {
  private final Random random = new Random(3);

  private Matrix random(int rows, int columns) {
    return Matrix.of(rows, columns, random.doubles((long) rows * columns, -1, 1).toArray());
  }

  private static void assertOrthonormal(Matrix q) {
    Matrix gram = q.transposed().times(q);
    assertTrue(gram.minus(Matrix.identity(q.columns())).maxAbs() < 1e-12, "not orthonormal: " + q);
  }

  /** All that a thin decomposition promises. */
  private static void assertDecomposes(Matrix a, Svd svd) {
    int k = svd.values().length;
    assertEquals(k, svd.u().columns());
    assertEquals(k, svd.v().columns());
    assertOrthonormal(svd.u());
    assertOrthonormal(svd.v());
    for (int i = 0; i < k; i++) {
      assertTrue(svd.values()[i] >= 0);
      assertTrue(i == 0 || svd.values()[i] <= svd.values()[i - 1], "not descending");
    }
    double scale = a.maxAbs();
    assertTrue(svd.product().minus(a).maxAbs() <= 1e-12 * scale, "not the same matrix");
  }

  @ParameterizedTest
  @CsvSource({"1,1", "5,5", "40,7", "7,40", "100,99", "1,9", "9,1", "3,0", "0,3"})
  void randomMatrices(int rows, int columns) {
    Matrix a = random(rows, columns);
    Svd svd = Svd.of(a);
    assertEquals(Math.min(rows, columns), svd.values().length);
    assertDecomposes(a, svd);
  }

  @Test
  void knownSingularValues() {
    // A'A = [[25, 20], [20, 25]]
    assertArrayEquals(
        new double[] {Math.sqrt(45), Math.sqrt(5)},
        Svd.of(Matrix.of(2, 2, 3, 0, 4, 5)).values(),
        1e-14);
    assertArrayEquals(
        new double[] {3, 2, 1},
        Svd.of(Matrix.of(3, 3, 0, -2, 0, 1, 0, 0, 0, 0, 3)).values(),
        1e-14);
    double[] values = {100, 7, 7, 1, 1e-3, 1e-9};
    Matrix u = Qr.of(random(30, 6)).q();
    Matrix v = Qr.of(random(20, 6)).q();
    Svd svd = Svd.of(u.timesDiagonal(values).times(v.transposed()));
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], svd.values()[i], 1e-13 * 100);
    }
    assertEquals(0, svd.values()[6], 1e-13 * 100);
  }

  @Test
  void smallSingularValuesKeepTheirDigits() {
    // The columns differ by powers of ten, which is lost on methods that square or chase.
    Matrix q = Qr.of(random(12, 4)).q();
    double[] values = {1, 1e-7, 1e-14, 1e-60};
    Svd svd = Svd.of(q.timesDiagonal(values));
    for (int i = 0; i < values.length; i++) {
      assertEquals(values[i], svd.values()[i], 1e-13 * values[i]);
    }
    assertOrthonormal(svd.u());
    assertOrthonormal(svd.v());
  }

  @Test
  void lowRankZeroAndOneNumber() {
    Matrix low = random(30, 3).times(random(3, 20));
    Svd svd = Svd.of(low);
    assertDecomposes(low, svd);
    assertTrue(svd.values()[2] > 0.1);
    assertTrue(svd.values()[3] < 1e-13);
    Matrix equalColumns = Matrix.of(3, 3, 1, 1, 1, 2, 2, 2, 3, 3, 3);
    assertDecomposes(equalColumns, Svd.of(equalColumns));
    assertDecomposes(Matrix.identity(9), Svd.of(Matrix.identity(9)));
    for (Matrix zero : List.of(Matrix.of(4, 3, new double[12]), Matrix.of(1, 1, 0))) {
      assertDecomposes(zero, Svd.of(zero));
      assertEquals(0, Svd.of(zero).values()[0]);
    }
    Matrix product = Matrix.of(5, 2, new double[10]);
    assertDecomposes(product.times(random(2, 6)), Svd.ofProduct(product, random(2, 6)));
  }

  @ParameterizedTest
  @ValueSource(doubles = {1e-300, 1e-160, 1e-20, 1e20, 1e160, 1e300})
  void hugeAndSmallNumbers(double scale) {
    Matrix a = random(9, 6);
    Svd svd = Svd.of(a.times(scale));
    assertDecomposes(a, new Svd(svd.u(), scaled(svd.values(), 1 / scale), svd.v()));
    assertEquals(Qr.of(a).r().get(2, 2), Qr.of(a.times(scale)).r().get(2, 2) / scale, 1e-12);
    assertEquals(a.frobeniusNorm(), a.times(scale).frobeniusNorm() / scale, 1e-12);
    if (scale < 1e150) {
      Svd product = Svd.ofProduct(a.times(scale), a.transposed().times(scale));
      Svd plain = Svd.ofProduct(a, a.transposed());
      if (scale > 1e-150) {
        assertEquals(plain.values()[0], product.values()[0] / scale / scale, 1e-11);
      }
      assertOrthonormal(product.u());
      assertOrthonormal(product.v());
    }
  }

  private static double[] scaled(double[] values, double factor) {
    return Arrays.stream(values).map(v -> v * factor).toArray();
  }

  @ParameterizedTest
  @CsvSource({"60,5,40", "40,1,60", "7,7,7", "6,10,9", "3,8,100"})
  void productsOfThinMatrices(int out, int rank, int in) {
    Matrix b = random(out, rank);
    Matrix a = random(rank, in);
    Svd svd = Svd.ofProduct(b, a);
    assertEquals(Math.min(rank, Math.min(out, in)), svd.values().length);
    assertDecomposes(b.times(a), svd);
    double[] whole = Svd.of(b.times(a)).values();
    for (int i = 0; i < svd.values().length; i++) {
      assertEquals(whole[i], svd.values()[i], 1e-12 * whole[0]);
    }
  }

  @Test
  void theNearestMatrixOfARank() {
    Matrix a = random(20, 15);
    Svd svd = Svd.of(a);
    double rest = 0;
    for (int i = 4; i < 15; i++) {
      rest += svd.values()[i] * svd.values()[i];
    }
    assertEquals(Math.sqrt(rest), svd.truncated(4).product().minus(a).frobeniusNorm(), 1e-12);
    assertEquals(15, svd.truncated(99).values().length);
  }

  @ParameterizedTest
  @CsvSource({"200,150,5", "150,200,1", "30,30,12", "120,400,6"})
  void leadingSingularValues(int rows, int columns, int count) {
    Matrix a = random(rows, columns);
    assertLeading(a, count, 1e-6);
  }

  /**
   * Of equal and of few singular values, where a Krylov space ends early or sees one of several.
   */
  @Test
  void leadingOfEqualFewAndNoSingularValues() {
    double[] values = new double[120];
    Arrays.fill(values, 0, 6, 2);
    Arrays.fill(values, 6, 120, 1);
    Matrix u = Qr.of(random(150, 120)).q();
    Matrix v = Qr.of(random(120, 120)).q();
    Matrix equal = u.timesDiagonal(values).times(v.transposed());
    Svd svd = Svd.leading(equal, 6);
    assertArrayEquals(Arrays.copyOf(values, 6), svd.values(), 1e-12);
    Matrix low = random(150, 3).times(random(3, 130));
    assertArrayEquals(Arrays.copyOf(Svd.of(low).values(), 5), Svd.leading(low, 5).values(), 1e-11);
    assertArrayEquals(new double[4], Svd.leading(Matrix.of(90, 90, new double[8100]), 4).values());
    assertArrayEquals(new double[] {1, 1, 1}, Svd.leading(Matrix.identity(100), 3).values(), 1e-13);
    assertLeading(random(100, 90).times(1e200), 3, 1e-6);
  }

  private static void assertLeading(Matrix a, int count, double tolerance) {
    Svd whole = Svd.of(a).truncated(count);
    Svd leading = Svd.leading(a, count);
    assertOrthonormal(leading.u());
    assertOrthonormal(leading.v());
    for (int i = 0; i < count; i++) {
      assertEquals(whole.values()[i], leading.values()[i], 1e-11 * whole.values()[0]);
    }
    double scale = a.maxAbs();
    assertTrue(leading.product().minus(whole.product()).maxAbs() < tolerance * scale);
    assertArrayEquals(leading.values(), Svd.leading(a, count).values(), 0);
  }

  @ParameterizedTest
  @CsvSource({"6,6", "20,5", "5,20", "1,1", "4,0"})
  void orthogonalTriangular(int rows, int columns) {
    Matrix a = random(rows, columns);
    Qr qr = Qr.of(a);
    assertOrthonormal(qr.q());
    assertTrue(qr.q().times(qr.r()).minus(a).maxAbs() < 1e-13);
    for (int i = 0; i < qr.r().rows(); i++) {
      assertTrue(qr.r().get(i, i) >= 0);
      for (int j = 0; j < i; j++) {
        assertEquals(0, qr.r().get(i, j));
      }
    }
  }

  @Test
  void orthogonalTriangularOfLowRank() {
    Matrix low = random(10, 2).times(random(2, 6));
    Qr qr = Qr.of(low);
    assertOrthonormal(qr.q());
    assertTrue(qr.q().times(qr.r()).minus(low).maxAbs() < 1e-13);
    assertOrthonormal(Qr.of(Matrix.of(5, 3, new double[15])).q());
  }

  @ParameterizedTest
  @ValueSource(doubles = {Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY})
  void refusesWhatIsNoNumber(double value) {
    Matrix bad = Matrix.of(2, 2, 1, 2, value, 3);
    for (Runnable attempt :
        List.<Runnable>of(
            () -> Svd.of(bad),
            () -> Qr.of(bad),
            () -> Svd.leading(bad, 1),
            () -> Svd.ofProduct(bad, Matrix.identity(2)),
            () -> Svd.ofProduct(Matrix.identity(2), bad))) {
      LoraGraphException e = assertThrows(LoraGraphException.class, attempt::run);
      assertTrue(e.getMessage().contains("NaN or infinite"), e.getMessage());
    }
  }
}
