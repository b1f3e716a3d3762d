package io.github.loragraph.models;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.github.loragraph.adapter.PeftAdapter;
import io.github.loragraph.adapter.PeftExport;
import io.github.loragraph.adapter.PeftImport;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.lora.LoraMetadata;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.Tensor;
import io.github.loragraph.training.Logits;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What a training made, told apart from the model that it began with, and put together again: the
 * adapter in PEFT's layout, and in its file's metadata what the model says of itself besides.
 */
public final class AdapterOnModel {
  /** The key in the adapter's metadata of what the model's own has otherwise, as JSON. */
  private static final String PROPERTIES = "lora_graph_metadata_props";

  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final TypeReference<LinkedHashMap<String, @Nullable String>> TEXTS =
      new TypeReference<>() {};

  private AdapterOnModel() {}

  /**
   * A model with an adapter on it, in the place of one that it has.
   *
   * @param notes takes what was guessed or left out, a line each
   * @throws LoraGraphException if the adapter is not for such a model
   */
  public static OnnxModel onto(OnnxModel base, PeftAdapter adapter, Consumer<String> notes) {
    OnnxModel adapted = asItWasMade(base, PeftImport.into(base, adapter, notes), adapter);
    for (Map.Entry<String, @Nullable String> entry : properties(adapter).entrySet()) {
      adapted = adapted.withMetadata(entry.getKey(), entry.getValue());
    }
    return adapted;
  }

  /** One of ours comes back whole, and says nothing of an import. */
  private static OnnxModel asItWasMade(OnnxModel base, OnnxModel adapted, PeftAdapter adapter) {
    String json = adapter.metadata().get(PeftAdapter.LORA_GRAPH);
    if (json == null) {
      return adapted;
    }
    if (!LoraMetadata.require(adapted).equals(LoraMetadata.parse(json))) {
      return adapted;
    }
    // What the import noted of an adapter from elsewhere is not said of one of ours.
    OnnxModel made = adapted;
    for (String key : adapted.metadata().keySet()) {
      if (!key.equals(LoraMetadata.KEY)) {
        made = made.withMetadata(key, base.metadata().get(key));
      }
    }
    return made;
  }

  private static Map<String, @Nullable String> properties(PeftAdapter adapter) {
    String json = adapter.metadata().get(PROPERTIES);
    if (json == null) {
      return Map.of();
    }
    try {
      return JSON.readValue(json, TEXTS);
    } catch (JsonProcessingException e) {
      throw new LoraGraphException(
          "the adapter's '%s' metadata is no object of texts: train it again".formatted(PROPERTIES),
          e);
    }
  }

  /**
   * The adapter that makes one model of another.
   *
   * @param base what a training began with
   * @param made what it made
   * @param about what PEFT wants to know besides
   * @param reasons takes the reason where there is none
   * @return empty where no adapter would give the very same model
   */
  public static Optional<PeftAdapter> between(
      OnnxModel base, OnnxModel made, PeftExport.About about, Consumer<String> reasons) {
    try {
      PeftAdapter adapter = PeftExport.of(made, about);
      Map<String, String> metadata = new LinkedHashMap<>(adapter.metadata());
      Map<String, @Nullable String> changed = changedProperties(base, made);
      if (!changed.isEmpty()) {
        metadata.put(PROPERTIES, JSON.writeValueAsString(changed));
      }
      PeftAdapter whole = new PeftAdapter(adapter.config(), adapter.tensors(), metadata);
      Optional<String> other = difference(made, onto(base, whole, note -> {}));
      other.ifPresent(name -> reasons.accept("'%s' has no place in an adapter".formatted(name)));
      return other.isPresent() ? Optional.empty() : Optional.of(whole);
    } catch (LoraGraphException e) {
      reasons.accept(e.getMessage());
      return Optional.empty();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static Map<String, @Nullable String> changedProperties(OnnxModel base, OnnxModel made) {
    Map<String, String> before = base.metadata();
    Map<String, String> after = made.metadata();
    Set<String> keys = new LinkedHashSet<>(before.keySet());
    keys.addAll(after.keySet());
    keys.remove(LoraMetadata.KEY);
    Map<String, @Nullable String> changed = new LinkedHashMap<>();
    for (String key : keys) {
      // The output may have been chosen since the base was read.
      if (key.equals(Logits.CHOSEN) || !Objects.equals(before.get(key), after.get(key))) {
        changed.put(key, after.get(key));
      }
    }
    return changed;
  }

  /** The first parameter or entry of the metadata in which two models differ. */
  private static Optional<String> difference(OnnxModel expected, OnnxModel actual) {
    Map<String, Tensor> a = expected.graph().initializers();
    Map<String, Tensor> b = actual.graph().initializers();
    Set<String> names = new LinkedHashSet<>(a.keySet());
    names.addAll(b.keySet());
    for (String name : names) {
      if (!isSame(a.get(name), b.get(name))) {
        return Optional.of(name);
      }
    }
    return expected.metadata().entrySet().stream()
        .filter(entry -> !entry.getValue().equals(actual.metadata().get(entry.getKey())))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  private static boolean isSame(@Nullable Tensor expected, @Nullable Tensor actual) {
    return expected == actual
        || expected != null
            && actual != null
            && expected.elementType() == actual.elementType()
            && Arrays.equals(expected.dims(), actual.dims())
            && expected.bytes().equals(actual.bytes());
  }
}
