package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.linalg.Matrix;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * How far apart two adapters are: module by module what each adds to the weight, and parameter by
 * parameter what was trained in full. What only one of them has is compared with zero.
 *
 * @param modules of what is added to weights
 * @param others of the head, biases and DoRA's magnitudes, by their keys without PEFT's prefix
 */
public record AdapterDifference(List<Part> modules, List<Part> others) {

  /**
   * One pair.
   *
   * @param name the module's path, or the parameter's name
   * @param first the Frobenius norm of the first adapter's; 0 where it has none
   * @param second that of the second adapter's
   * @param norm that of the difference
   * @param cosine the cosine between both, as vectors; NaN where one is zero
   * @param largest the largest absolute entry of the difference
   * @param in which of both have it
   */
  public record Part(
      String name,
      double first,
      double second,
      double norm,
      double cosine,
      double largest,
      Presence in) {}

  /** Which of two adapters have something. */
  public enum Presence {
    BOTH,
    FIRST,
    SECOND
  }

  /**
   * Compares two adapters.
   *
   * @param firstName what it is called in messages
   * @throws LoraGraphException if a module or parameter has another size in one than in the other,
   *     or NaN in it
   */
  public static AdapterDifference of(
      PeftAdapter first, String firstName, PeftAdapter second, String secondName) {
    Map<String, PeftLayer> a = first.layers();
    Map<String, PeftLayer> b = second.layers();
    List<Part> modules = new ArrayList<>();
    for (String module : names(a.keySet(), b.keySet())) {
      LayerDelta one = a.containsKey(module) ? LayerDelta.of(a.get(module)) : null;
      LayerDelta other = b.containsKey(module) ? LayerDelta.of(b.get(module)) : null;
      if (one != null && other != null) {
        one.requireSameSize(other, firstName, secondName);
      }
      modules.add(ofDeltas(module, one, other));
    }
    Map<String, Tensor> restA = FullParameters.of(first);
    Map<String, Tensor> restB = FullParameters.of(second);
    List<Part> others = new ArrayList<>();
    for (String name : names(restA.keySet(), restB.keySet())) {
      Tensor one = restA.get(name);
      Tensor other = restB.get(name);
      if (one != null && other != null && !one.shape().equals(other.shape())) {
        throw new LoraGraphException(
            "'%s' is %s in %s and %s in %s: they cannot be compared"
                .formatted(name, one.shape(), firstName, other.shape(), secondName));
      }
      Sums sums = new Sums();
      double[] x = one == null ? new double[0] : finite(one);
      double[] y = other == null ? new double[0] : finite(other);
      for (int i = 0; i < Math.max(x.length, y.length); i++) {
        sums.add(i < x.length ? x[i] : 0, i < y.length ? y[i] : 0);
      }
      others.add(sums.part(name, presence(one, other)));
    }
    return new AdapterDifference(modules, others);
  }

  private static double[] finite(Tensor tensor) {
    LayerDelta.requireFinite(tensor);
    return tensor.toDoubles();
  }

  private static Set<String> names(Set<String> a, Set<String> b) {
    Set<String> all = new TreeSet<>(NumberedNames.ORDER);
    all.addAll(a);
    all.addAll(b);
    return all;
  }

  private static Presence presence(@Nullable Object first, @Nullable Object second) {
    if (first == null) {
      return Presence.SECOND;
    }
    return second == null ? Presence.FIRST : Presence.BOTH;
  }

  /** Row by row, so that no delta is made as a whole. */
  private static Part ofDeltas(
      String module, @Nullable LayerDelta first, @Nullable LayerDelta second) {
    LayerDelta any = first == null ? Objects.requireNonNull(second) : first;
    Sums sums = new Sums();
    for (int row = 0; row < any.out(); row++) {
      double[] x = row(first, row, any.in());
      double[] y = row(second, row, any.in());
      for (int i = 0; i < x.length; i++) {
        sums.add(x[i], y[i]);
      }
    }
    return sums.part(module, presence(first, second));
  }

  private static double[] row(@Nullable LayerDelta delta, int row, int in) {
    double[] sum = new double[in];
    if (delta != null) {
      Matrix a = delta.a();
      for (int k = 0; k < delta.rank(); k++) {
        double factor = delta.scale() * delta.b().get(row, k);
        for (int i = 0; i < in; i++) {
          sum[i] += factor * a.get(k, i);
        }
      }
    }
    return sum;
  }

  /** Sums over pairs of entries. */
  private static final class Sums {
    private double first;
    private double second;
    private double both;
    private double difference;
    private double largest;

    void add(double x, double y) {
      first += x * x;
      second += y * y;
      both += x * y;
      difference += (x - y) * (x - y);
      largest = Math.max(largest, Math.abs(x - y));
    }

    Part part(String name, Presence in) {
      double cosine = both / Math.sqrt(first) / Math.sqrt(second);
      return new Part(
          name,
          Math.sqrt(first),
          Math.sqrt(second),
          Math.sqrt(difference),
          Double.isNaN(cosine) ? cosine : Math.max(-1, Math.min(1, cosine)),
          largest,
          in);
    }
  }
}
