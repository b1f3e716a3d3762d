package io.github.loragraph.adapter;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.linalg.Matrix;
import io.github.loragraph.linalg.Svd;
import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToIntFunction;

/**
 * An adapter of other ranks: in each module the nearest matrix of that rank, by singular values,
 * takes the place of B A. The scale stays what it was, and alpha goes with the rank; with the rank
 * there was, a module stays as it is. Head, biases and DoRA's magnitudes are kept.
 *
 * @param adapter the new one
 * @param layers what became of each module
 * @param kept the share of the energy of all modules that is kept: the sum of the squares of the
 *     singular values; 1 where there was none
 */
public record ResizedAdapter(PeftAdapter adapter, List<Layer> layers, double kept) {

  /**
   * One module.
   *
   * @param module its path in the base model
   * @param before its rank before
   * @param rank its rank now
   * @param kept the share of its energy that is kept
   */
  public record Layer(String module, int before, int rank, double kept) {}

  /**
   * Gives all modules one rank. Where it is higher than a module's, rows and columns of zeros are
   * added, which change nothing.
   *
   * @param rank at least 1
   * @throws LoraGraphException if a module has no such rank, or NaN in it
   */
  public static ResizedAdapter toRank(PeftAdapter adapter, int rank) {
    if (rank < 1) {
      throw new LoraGraphException("the rank has to be at least 1, and is " + rank);
    }
    for (PeftLayer layer : adapter.layers().values()) {
      if (rank > Math.min(layer.in(), layer.out())) {
        throw new LoraGraphException(
            "rank %d is more than '%s' can have, which is %d x %d"
                .formatted(rank, layer.module(), layer.in(), layer.out()));
      }
    }
    return of(adapter, spectrum -> rank);
  }

  /**
   * Gives each module the lowest rank that keeps a share of its energy, at least 1.
   *
   * @param share above 0, at most 1
   * @throws LoraGraphException if the share is none, or a module has NaN in it
   */
  public static ResizedAdapter toEnergy(PeftAdapter adapter, double share) {
    if (!(share > 0 && share <= 1)) {
      throw new LoraGraphException(
          "the share of the energy has to be above 0 and at most 1, and is " + share);
    }
    return of(adapter, spectrum -> Math.max(1, spectrum.rankOf(share)));
  }

  private static ResizedAdapter of(PeftAdapter adapter, ToIntFunction<LayerSpectrum> ranks) {
    Map<String, PeftLayer> layers = adapter.layers();
    Map<String, Tensor> tensors = new LinkedHashMap<>(adapter.tensors());
    Map<String, Integer> newRanks = new LinkedHashMap<>();
    Map<String, Double> alphas = new LinkedHashMap<>();
    List<Layer> report = new ArrayList<>();
    double all = 0;
    double left = 0;
    for (LayerSpectrum spectrum : LayerSpectrum.of(adapter)) {
      PeftLayer layer = Objects.requireNonNull(layers.get(spectrum.module()));
      int rank = ranks.applyAsInt(spectrum);
      int values = spectrum.singularValues().size();
      double energy = spectrum.energy(values);
      double kept = spectrum.energy(Math.min(rank, values));
      all += energy;
      left += kept;
      report.add(new Layer(spectrum.module(), layer.rank(), rank, energy == 0 ? 1 : kept / energy));
      newRanks.put(spectrum.module(), rank);
      alphas.put(
          spectrum.module(),
          rank == layer.rank()
              ? layer.alpha()
              : layer.scale() * (adapter.config().useRslora() ? Math.sqrt(rank) : rank));
      if (rank != layer.rank()) {
        put(tensors, layer, rank);
      }
    }
    PeftConfig config = NewConfig.of(adapter.config(), newRanks, alphas);
    return new ResizedAdapter(new PeftAdapter(config, tensors), report, all == 0 ? 1 : left / all);
  }

  private static void put(Map<String, Tensor> tensors, PeftLayer layer, int rank) {
    Matrix a;
    Matrix b;
    if (rank > layer.rank()) {
      a = Matrix.of(rank, (int) layer.in(), padded(layer.a(), rank));
      // By its transpose, whose rows are B's columns.
      Matrix turned = Matrix.of(layer.b()).transposed();
      b =
          Matrix.of(
                  rank, (int) layer.out(), Arrays.copyOf(turned.toArray(), rank * turned.columns()))
              .transposed();
    } else {
      LayerDelta delta = LayerDelta.of(layer);
      Svd svd = Svd.ofProduct(delta.b(), delta.a());
      Svd nearest = svd.truncated(rank);
      double[] roots = Arrays.stream(nearest.values()).map(Math::sqrt).toArray();
      b = nearest.u().timesDiagonal(roots);
      a = nearest.v().timesDiagonal(roots).transposed();
    }
    ElementType type = layer.a().elementType();
    tensors.put(layer.a().name(), LayerDelta.tensor(layer.a().name(), a, type));
    tensors.put(layer.b().name(), LayerDelta.tensor(layer.b().name(), b, type));
  }

  private static double[] padded(Tensor a, int rank) {
    return Arrays.copyOf(a.toDoubles(), Math.toIntExact(rank * a.dim(1)));
  }
}
