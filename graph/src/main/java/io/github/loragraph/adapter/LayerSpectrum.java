package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How large what an adapter adds to one module is, and in how many directions.
 *
 * @param module its path in the base model
 * @param in the number of input features
 * @param out the number of output features
 * @param rank r
 * @param alpha its lora_alpha
 * @param scale what B A is multiplied by
 * @param singularValues those of scale B A, descending; r of them at most
 * @param parameters how many numbers it has, DoRA's magnitude among them
 */
public record LayerSpectrum(
    String module,
    long in,
    long out,
    int rank,
    double alpha,
    double scale,
    List<Double> singularValues,
    long parameters) {

  /**
   * The adapted modules of an adapter, in the order of the names with numbers as numbers.
   *
   * @throws LoraGraphException if a tensor is missing or of another size, or has NaN in it
   */
  public static List<LayerSpectrum> of(PeftAdapter adapter) {
    List<LayerSpectrum> spectra = new ArrayList<>();
    for (PeftLayer layer : NumberedNames.sorted(adapter.layers()).values()) {
      LayerDelta delta = LayerDelta.of(layer);
      long parameters = layer.a().elementCount() + layer.b().elementCount();
      if (layer.magnitude() != null) {
        parameters += layer.magnitude().elementCount();
      }
      spectra.add(
          new LayerSpectrum(
              layer.module(),
              layer.in(),
              layer.out(),
              layer.rank(),
              layer.alpha(),
              layer.scale(),
              Arrays.stream(delta.svd().values()).boxed().toList(),
              parameters));
    }
    return spectra;
  }

  /** The Frobenius norm of scale B A. */
  public double norm() {
    return Math.sqrt(energy(singularValues.size()));
  }

  /** The sum of the squares of the first singular values. */
  double energy(int count) {
    return singularValues.stream().limit(count).mapToDouble(s -> s * s).sum();
  }

  /**
   * How many singular values have a share of all energy, which is the sum of their squares; 0 where
   * all are zero.
   *
   * @param share above 0, at most 1
   */
  public int rankOf(double share) {
    double all = energy(singularValues.size());
    double sum = 0;
    for (int i = 0; i < singularValues.size(); i++) {
      if (sum >= share * all) {
        return i;
      }
      sum += singularValues.get(i) * singularValues.get(i);
    }
    return singularValues.size();
  }

  /**
   * The stable rank: the squared Frobenius norm over the squared largest singular value, 0 for
   * nothing. It is at most the rank, and changes little with small singular values.
   */
  public double stableRank() {
    double largest = singularValues.isEmpty() ? 0 : singularValues.get(0);
    return largest == 0
        ? 0
        : singularValues.stream().mapToDouble(s -> s / largest).map(x -> x * x).sum();
  }
}
