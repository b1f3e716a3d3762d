package io.github.loragraph;

import io.github.loragraph.adapter.AdapterDifference;
import java.util.List;

/**
 * How far apart two adapters are. What only one of them has is compared with zero. Immutable.
 *
 * @param layers what each adds to the weight of a module, in the order of their names
 * @param others what was trained in full, by the parameter's name; DoRA's magnitudes among them
 */
public record AdapterDiff(List<Part> layers, List<Part> others) {
  public AdapterDiff {
    layers = List.copyOf(layers);
    others = List.copyOf(others);
  }

  /** Which of two adapters have something. */
  public enum Presence {
    BOTH,
    FIRST,
    SECOND
  }

  /**
   * One pair.
   *
   * @param name a module path, or a parameter's name
   * @param firstNorm the Frobenius norm of the first adapter's
   * @param secondNorm that of the second adapter's
   * @param norm that of the difference
   * @param cosine between both, as vectors; NaN where one is zero
   * @param largest the largest absolute entry of the difference
   * @param presence which of both have it
   */
  public record Part(
      String name,
      double firstNorm,
      double secondNorm,
      double norm,
      double cosine,
      double largest,
      Presence presence) {
    private static Part of(AdapterDifference.Part part) {
      return new Part(
          part.name(),
          part.first(),
          part.second(),
          part.norm(),
          part.cosine(),
          part.largest(),
          Presence.valueOf(part.in().name()));
    }
  }

  static AdapterDiff of(AdapterDifference difference) {
    return new AdapterDiff(
        difference.modules().stream().map(Part::of).toList(),
        difference.others().stream().map(Part::of).toList());
  }

  /** Whether both give the same numbers. */
  public boolean isEmpty() {
    return largest() == 0;
  }

  /** The largest absolute entry of all differences. */
  public double largest() {
    return Math.max(largest(layers), largest(others));
  }

  private static double largest(List<Part> parts) {
    return parts.stream().mapToDouble(Part::largest).max().orElse(0);
  }

  /** The Frobenius norm of the difference of what is added to all weights. */
  public double norm() {
    return Math.sqrt(layers.stream().mapToDouble(part -> part.norm() * part.norm()).sum());
  }
}
