package io.github.loragraph.lora;

import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.OnnxModel;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Which parameters of a model are trained.
 *
 * @param method what is trained in any case
 * @param also found anywhere in the names of further parameters to train; null for none
 * @param biases whether the biases of adapted Linears are trained, too (PEFT's {@code lora_only})
 * @param untied whether the copies of a tied weight are trained each for itself
 */
public record TrainableSelection(
    Method method, @Nullable Pattern also, boolean biases, boolean untied) {
  /** With tied weights trained as one. */
  public TrainableSelection(Method method, @Nullable Pattern also, boolean biases) {
    this(method, also, biases, false);
  }

  /** What a method trains, and nothing else. */
  public static TrainableSelection of(Method method) {
    return new TrainableSelection(method, null, false);
  }

  /**
   * The parameters to train, in the order in which the graph reads them.
   *
   * @throws LoraGraphException if the model has none of the kind, or the expression is found in no
   *     parameter's name
   */
  public List<Parameter> parameters(OnnxModel model) {
    return model.namingFile(() -> chosen(model));
  }

  private List<Parameter> chosen(OnnxModel model) {
    List<Parameter> all = untied ? Parameters.untied(model) : Parameters.of(model);
    Predicate<Parameter> chosen = byMethod(model);
    if (all.stream().noneMatch(chosen)) {
      throw new LoraGraphException(
          "the model has no head (classifier, pre_classifier, score) to train", Remedy.ADD_HEAD);
    }
    if (also != null && method == Method.FULL) {
      throw new LoraGraphException(
          "the method full trains every parameter already", Remedy.OMIT_TRAINABLE);
    }
    if (also != null) {
      if (all.stream().noneMatch(p -> p.isNamed(also))) {
        throw new LoraGraphException(
            "'%s' is found in no parameter's name".formatted(also), Remedy.LIST_PARAMETERS);
      }
      chosen = chosen.or(p -> p.isNamed(also));
    }
    if (biases && method == Method.FULL) {
      throw new LoraGraphException("the method full trains every bias already", Remedy.OMIT_BIASES);
    }
    if (biases) {
      Set<String> names = new HashSet<>();
      LoraMetadata.adaptedPaths(model).forEach(path -> names.add(path + ".bias"));
      if (all.stream().noneMatch(p -> names.contains(p.name()))) {
        throw new LoraGraphException(
            "the model has no adapted Linear layers with a bias to train: inject adapters first");
      }
      chosen = chosen.or(p -> names.contains(p.name()));
    }
    List<Parameter> wanted = all.stream().filter(chosen).toList();
    List<Parameter> possible = wanted.stream().filter(p -> p.obstacle() == null).toList();
    if (possible.isEmpty()) {
      Parameter first = wanted.get(0);
      throw new LoraGraphException(
          "none of the %d parameters to train can be trained: '%s', the first, cannot, since %s; take the model in float32"
              .formatted(wanted.size(), first.name(), first.obstacle()));
    }
    return possible;
  }

  /** Those that were asked for and cannot be trained: quantized ones, for instance. */
  public List<Parameter> left(OnnxModel model) {
    Predicate<Parameter> chosen = byMethod(model);
    return Parameters.of(model).stream()
        .filter(p -> p.obstacle() != null)
        .filter(p -> chosen.test(p) || (also != null && p.isNamed(also)))
        .toList();
  }

  /** The values of {@link #parameters}: what a training graph takes. */
  public Set<String> values(OnnxModel model) {
    Set<String> values = new LinkedHashSet<>();
    parameters(model).forEach(p -> values.add(p.value()));
    return values;
  }

  /**
   * The trained model with metadata that names what was trained, so that counts and further
   * trainings go by it; only LoRA keeps a list.
   */
  public OnnxModel noteIn(OnnxModel trained) {
    return LoraMetadata.of(trained)
        .filter(metadata -> method == Method.LORA)
        .map(m -> m.withTrainable(parameters(trained).stream().map(Parameter::name).toList()))
        .map(metadata -> metadata.putInto(trained))
        .orElse(trained);
  }

  private Predicate<Parameter> byMethod(OnnxModel model) {
    Optional<LoraMetadata> metadata = LoraMetadata.of(model);
    return switch (method) {
      case LORA -> {
        if (metadata.isEmpty() && PeftAdapters.isIn(model)) {
          yield p ->
              PeftAdapters.isAdapter(ModulePath.ofParameter(p.name()))
                  || p.isOf(InjectionOptions.DEFAULT_HEAD);
        }
        if (metadata.isEmpty()) {
          throw new LoraGraphException("the model has no adapters", Remedy.INJECT);
        }
        yield Parameter::trainable;
      }
      case FULL -> p -> true;
      case HEAD ->
          p ->
              metadata
                  .map(m -> m.head().contains(p.name()))
                  .orElseGet(() -> p.isOf(InjectionOptions.DEFAULT_HEAD));
    };
  }
}
