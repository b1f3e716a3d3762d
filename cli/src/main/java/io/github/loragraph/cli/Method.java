package io.github.loragraph.cli;

import io.github.loragraph.LoraGraphException;
import io.github.loragraph.lora.InjectionOptions;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.lora.Parameter;
import io.github.loragraph.lora.Parameters;
import io.github.loragraph.onnx.OnnxModel;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;

/** What {@code train} trains. */
enum Method {
  /** The adapters and the head of an injected model. */
  LORA,
  /** Every parameter. */
  FULL,
  /** The head alone. */
  HEAD;

  /**
   * The values to train, in the order in which the graph reads them.
   *
   * @throws LoraGraphException if the model has none of the kind
   */
  Set<String> trainable(OnnxModel model) {
    Optional<LoraMetadata> metadata = LoraMetadata.of(model);
    List<Parameter> parameters = Parameters.of(model);
    Set<String> values =
        switch (this) {
          case LORA -> {
            if (metadata.isEmpty()) {
              throw new LoraGraphException(
                  "the model has no adapters: put some in with 'lora-graph inject', or train with --method full or head");
            }
            yield values(parameters, Parameter::trainable);
          }
          case FULL -> values(parameters, p -> true);
          case HEAD ->
              values(
                  parameters,
                  p ->
                      metadata
                          .map(m -> m.head().contains(p.name()))
                          .orElseGet(() -> InjectionOptions.DEFAULT_HEAD.matcher(p.name()).find()));
        };
    if (values.isEmpty()) {
      throw new LoraGraphException(
          "the model has no head (classifier, pre_classifier, score) to train: put one on with 'lora-graph add-head'");
    }
    return values;
  }

  private static Set<String> values(List<Parameter> parameters, Predicate<Parameter> which) {
    Set<String> values = new LinkedHashSet<>();
    parameters.stream().filter(which).forEach(p -> values.add(p.value()));
    return values;
  }
}
