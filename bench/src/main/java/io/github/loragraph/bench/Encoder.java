package io.github.loragraph.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.loragraph.error.LoraGraphException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A RoBERTa or BERT with a classification head, as Hugging Face's models compute it and PEFT adapts
 * it.
 *
 * @param roberta whether positions are counted behind the padding's number and the head reads the
 *     first token; else they are counted from 0 and it reads the mean
 * @param adapted the Linears with adapters, of scale 1: their paths as attributes of a script
 */
record Encoder(
    int hidden, int layers, int heads, double epsilon, boolean roberta, Set<String> adapted) {
  private static final String ADAPTER = ".lora_A";

  /**
   * The inputs.
   *
   * @param ids (batch, sequence), as positions and types are
   * @param mask as {@link TensorOps#attention} takes it
   * @param tokens as {@link TensorOps#mean} takes it
   */
  record Inputs<V>(V ids, V positions, V types, V mask, V tokens) {}

  /**
   * The encoder of a model file.
   *
   * @param file beside its {@code config.json}
   * @param weights their names
   */
  static Encoder of(Path file, Collection<String> weights) {
    Path configuration = file.resolveSibling("config.json");
    try {
      JsonNode config = new ObjectMapper().readTree(configuration.toFile());
      return new Encoder(
          config.path("hidden_size").asInt(),
          config.path("num_hidden_layers").asInt(),
          config.path("num_attention_heads").asInt(),
          config.path("layer_norm_eps").asDouble(1e-12),
          config.path("model_type").asText().equals("roberta"),
          weights.stream()
              .map(ScriptOps::attribute)
              .filter(name -> name.endsWith(ScriptOps.attribute(ADAPTER)))
              .map(name -> name.substring(0, name.length() - ADAPTER.length()))
              .collect(Collectors.toUnmodifiableSet()));
    } catch (IOException e) {
      throw new LoraGraphException(
          "cannot read %s: %s".formatted(configuration, e.getMessage()), e);
    }
  }

  /** The logits. */
  <V> V logits(TensorOps<V> ops, Inputs<V> inputs) {
    return new Walk<>(this, ops, inputs).logits();
  }

  private record Walk<V>(Encoder size, TensorOps<V> ops, Inputs<V> inputs) {
    V logits() {
      V words = table("word", inputs.ids());
      V types = table("token_type", inputs.types());
      V positions = table("position", inputs.positions());
      V x = norm("embeddings.LayerNorm", ops.add(ops.add(words, types), positions));
      for (int layer = 0; layer < size.layers; layer++) {
        x = layer("encoder.layer." + layer, x);
      }
      V pooled = size.roberta ? ops.first(x) : ops.mean(x, inputs.tokens());
      return linear("classifier.out_proj", ops.tanh(linear("classifier.dense", pooled)));
    }

    private V table(String name, V indices) {
      return ops.embedding(ops.parameter("embeddings." + name + "_embeddings.weight"), indices);
    }

    private V layer(String path, V x) {
      String self = path + ".attention.self";
      V context =
          ops.attention(
              linear(self + ".query", x),
              linear(self + ".key", x),
              linear(self + ".value", x),
              inputs.mask(),
              size.heads,
              size.hidden / size.heads);
      V attended = residual(path + ".attention.output", context, x);
      V inner = ops.gelu(linear(path + ".intermediate.dense", attended));
      return residual(path + ".output", inner, attended);
    }

    private V residual(String path, V x, V around) {
      return norm(path + ".LayerNorm", ops.add(linear(path + ".dense", x), around));
    }

    private V norm(String path, V x) {
      return ops.layerNorm(
          x,
          size.hidden,
          ops.parameter(path + ".weight"),
          ops.parameter(path + ".bias"),
          size.epsilon);
    }

    private V linear(String path, V x) {
      V y = ops.linear(x, ops.parameter(path + ".weight"), ops.parameter(path + ".bias"));
      if (!size.adapted.contains(ScriptOps.attribute(path))) {
        return y;
      }
      V low = ops.matMul(x, ops.parameter(path + ADAPTER));
      return ops.add(y, ops.matMul(low, ops.parameter(path + ".lora_B")));
    }
  }
}
