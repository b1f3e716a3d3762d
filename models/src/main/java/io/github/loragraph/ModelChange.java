package io.github.loragraph;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What became of adapters in the step that led to a model.
 *
 * @param layers the module paths of the layers that got an adapter, or whose adapter was merged or
 *     taken out
 * @param maxOutputDifference the largest difference between the outputs before and after, on input
 *     that is made up; empty where none could be, or nothing was compared
 */
public record ModelChange(List<String> layers, OptionalDouble maxOutputDifference) {
  public ModelChange {
    layers = List.copyOf(layers);
  }
}
