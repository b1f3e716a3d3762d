package io.github.loragraph;

import io.github.loragraph.adapter.AdapterPicture;
import io.github.loragraph.adapter.LayerSpectrum;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.onnx.Tensor;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What is in an adapter. Immutable.
 *
 * @param layers the adapted modules, in the order of their names with numbers as numbers
 * @param others what was trained in full (the head, biases), by name with the number of values
 * @param dora whether modules have a magnitude of their own, which no norm here counts
 * @param rslora whether the scale is alpha / sqrt(rank)
 * @param baseModel the base model, as its trainer named it
 */
public record AdapterInfo(
    List<Layer> layers,
    Map<String, Long> others,
    boolean dora,
    boolean rslora,
    Optional<String> baseModel) {

  /** The share of the energy that the rank which is really used has. */
  private static final double MOST = 0.99;

  public AdapterInfo {
    layers = List.copyOf(layers);
    others = Collections.unmodifiableMap(new LinkedHashMap<>(others));
  }

  /**
   * One adapted module.
   *
   * @param path its module path
   * @param in the number of its input features
   * @param out the number of its output features
   * @param rank r
   * @param alpha its lora_alpha
   * @param scale what lora_B lora_A is multiplied by
   * @param norm the Frobenius norm of what is added to the weight, scale lora_B lora_A
   * @param singularValues of the same, descending
   * @param usedRank how many singular values have 99% of the energy, the sum of their squares; 0
   *     before training
   * @param stableRank the squared norm over the squared largest singular value; 0 before training
   * @param parameters the number of values
   */
  public record Layer(
      String path,
      long in,
      long out,
      int rank,
      double alpha,
      double scale,
      double norm,
      List<Double> singularValues,
      int usedRank,
      double stableRank,
      long parameters) {
    public Layer {
      singularValues = List.copyOf(singularValues);
    }

    private static Layer of(LayerSpectrum spectrum) {
      return new Layer(
          spectrum.module(),
          spectrum.in(),
          spectrum.out(),
          spectrum.rank(),
          spectrum.alpha(),
          spectrum.scale(),
          spectrum.norm(),
          spectrum.singularValues(),
          spectrum.rankOf(MOST),
          spectrum.stableRank(),
          spectrum.parameters());
    }

    private LayerSpectrum spectrum() {
      return new LayerSpectrum(path, in, out, rank, alpha, scale, singularValues, parameters);
    }
  }

  static AdapterInfo of(PeftAdapter adapter) {
    Map<String, Long> others = new LinkedHashMap<>();
    for (Map.Entry<String, Tensor> entry : adapter.others().entrySet()) {
      String key = entry.getKey();
      others.put(
          key.startsWith(PeftAdapter.PREFIX) ? key.substring(PeftAdapter.PREFIX.length()) : key,
          entry.getValue().elementCount());
    }
    return new AdapterInfo(
        LayerSpectrum.of(adapter).stream().map(Layer::of).toList(),
        others,
        adapter.config().useDora(),
        adapter.config().useRslora(),
        Optional.ofNullable(adapter.config().baseModel()));
  }

  /** The number of values of all adapted modules. */
  public long adapterParameters() {
    return layers.stream().mapToLong(Layer::parameters).sum();
  }

  /** The number of values that were trained in full. */
  public long otherParameters() {
    return others.values().stream().mapToLong(Long::longValue).sum();
  }

  /** The Frobenius norm of what is added to all weights. */
  public double norm() {
    return Math.sqrt(layers.stream().mapToDouble(layer -> layer.norm() * layer.norm()).sum());
  }

  /**
   * A picture as SVG: bars of the norms, module by module, and the singular values. It has the
   * colours of a light or a dark page, and loads nothing.
   *
   * @param title any text
   */
  public String toSvg(String title) {
    return AdapterPicture.svg(title, layers.stream().map(Layer::spectrum).toList());
  }
}
