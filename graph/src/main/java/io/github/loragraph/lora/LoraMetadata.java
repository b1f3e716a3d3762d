package io.github.loragraph.lora;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import io.github.loragraph.error.LoraGraphException;
import io.github.loragraph.error.Remedy;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What an injected model says about its adapters: JSON in {@code metadata_props} under {@link
 * #KEY}. Format 1 has no variant: its adapters are plain LoRA. Format 2 is written only where they
 * are not, so that programs that know nothing of it refuse what they would get wrong.
 *
 * <p>Long because what both formats say is read, written and held to the graph here.
 *
 * @param formatVersion 1 or 2
 * @param toolVersion the version of lora-graph that made the adapters
 * @param match a regular expression that is found in the paths of the targets, as they were asked
 *     for
 * @param rank r, as it was asked for; a target may have another
 * @param alpha as it was asked for; a target may have another
 * @param seed of the random numbers of the start
 * @param variant how the adapters differ from plain LoRA
 * @param targets the adapted Linears, in topological order
 * @param head the names of the head's parameters
 * @param trainable the names of all trainable parameters, those of adapters and head among them; an
 *     adapter that is not here is frozen
 */
@JsonPropertyOrder({
  "formatVersion",
  "toolVersion",
  "match",
  "rank",
  "alpha",
  "seed",
  "variant",
  "targets",
  "head",
  "trainable"
})
public record LoraMetadata(
    int formatVersion,
    String toolVersion,
    String match,
    int rank,
    double alpha,
    long seed,
    LoraVariant variant,
    List<Target> targets,
    List<String> head,
    List<String> trainable) {

  /** The key in the model's metadata. */
  public static final String KEY = "lora_graph";

  /** The key of what an adapter that was imported said besides, in PEFT's words. */
  public static final String PEFT_KEY = "lora_graph.peft";

  /** The newest version of the format that this class reads and writes. */
  public static final int FORMAT_VERSION = 2;

  private static final int PLAIN_VERSION = 1;
  private static final String VARIANT = "variant";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .withCoercionConfig(
              LogicalType.Textual,
              c -> c.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail))
          .build();

  /**
   * One adapted Linear.
   *
   * @param path its module path
   * @param rank r of its adapter
   * @param alpha the adapter counts alpha / r, or as {@link LoraVariant#scale} says
   */
  @JsonPropertyOrder({"path", "rank", "alpha"})
  public record Target(String path, int rank, double alpha) {
    public Target {
      requirePositive("adapter '%s'".formatted(path), rank, alpha);
    }

    /** The name of its lora_A, FLOAT (in, r). */
    public String parameterA() {
      return Adapter.nameOfA(path);
    }

    /** The name of its lora_B, FLOAT (r, out). */
    public String parameterB() {
      return Adapter.nameOfB(path);
    }

    /** The name of what their product is multiplied by, a FLOAT scalar. */
    public String scaleName() {
      return Adapter.nameOfScale(path);
    }

    /** The name of its magnitudes, FLOAT (out), where it is DoRA. */
    public String magnitude() {
      return Adapter.nameOfMagnitude(path);
    }

    /** The name of the magnitudes by the norms, where it is DoRA. */
    public String factor() {
      return Dora.factorOf(path);
    }

    /** Whether a value is what is left of a bias to be added behind {@link #factor}. */
    public boolean isBiasOfMagnitude(String value) {
      return Dora.isBias(path, value);
    }

    /** The name of the anchor of lora_A, FLOAT (in, r), where {@link LoraInit#isAnchored}. */
    public String anchorA() {
      return Adapter.nameOfAnchorA(path);
    }

    /** The name of the anchor of lora_B, FLOAT (r, out), where {@link LoraInit#isAnchored}. */
    public String anchorB() {
      return Adapter.nameOfAnchorB(path);
    }
  }

  public LoraMetadata {
    requirePositive("it", rank, alpha);
    if (formatVersion == PLAIN_VERSION && !variant.isPlain()) {
      throw new IllegalArgumentException("format 1 has plain adapters only");
    }
    targets = List.copyOf(targets);
    head = List.copyOf(head);
    trainable = List.copyOf(trainable);
  }

  /** The format in which such adapters are written. */
  public static int formatOf(LoraVariant variant) {
    return variant.isPlain() ? PLAIN_VERSION : FORMAT_VERSION;
  }

  /** What the product of the two matrices of a target is multiplied by. */
  public double scale(Target target) {
    return variant.scale(target.rank(), target.alpha());
  }

  /**
   * The products of activations with lora_A, one for each site of the Linear, also in a graph that
   * was rewritten.
   */
  public List<Node> entries(Graph graph, Target target) {
    Set<Node> norm = variant.useDora() ? Dora.below(graph, target.path()) : Set.of();
    return graph.consumers(target.parameterA()).stream().filter(n -> !norm.contains(n)).toList();
  }

  /** The values of a model that gradients do not go through: the norms of DoRA. */
  public static Set<String> detachedIn(OnnxModel model) {
    return stated(model)
        .filter(m -> m.variant().useDora())
        .map(m -> m.targets().stream().map(t -> Dora.normOf(t.path())).collect(Collectors.toSet()))
        .orElse(Set.of());
  }

  /** Whether a value is one of the trained tensors of some adapter, by its name. */
  public static boolean isAdapterWeight(String value) {
    return Adapter.isAdapterWeight(value);
  }

  private static void requirePositive(String whose, int rank, double alpha) {
    if (rank < 1 || !(alpha > 0) || Double.isInfinite(alpha)) {
      throw new IllegalArgumentException(
          "%s has rank %d and alpha %s, and both must be positive numbers"
              .formatted(whose, rank, alpha));
    }
  }

  /**
   * The metadata of a model; empty where it has none, so is not injected.
   *
   * @throws LoraGraphException if the entry is malformed or of a newer format, or the adapters that
   *     it lists are not those of the graph
   */
  public static Optional<LoraMetadata> of(OnnxModel model) {
    Optional<LoraMetadata> metadata = stated(model);
    return model.namingFile(
        () -> {
          metadata.ifPresent(m -> m.requireAdaptersOf(model.graph()));
          return metadata;
        });
  }

  /**
   * The same of a model whose graph was rewritten, so that its adapters may have another form.
   *
   * @throws LoraGraphException if the entry is malformed or of a newer format
   */
  public static Optional<LoraMetadata> stated(OnnxModel model) {
    String json = model.metadata().get(KEY);
    return json == null ? Optional.empty() : Optional.of(model.namingFile(() -> parse(json)));
  }

  /** What is said of the adapters must be what the graph has, or some would be lost in silence. */
  private void requireAdaptersOf(Graph graph) {
    Set<String> listed = new HashSet<>();
    for (Target target : targets) {
      if (!listed.add(target.path())) {
        throw contradicts("'%s' twice".formatted(target.path()));
      }
      Adapter.check(graph, target, variant);
    }
    List<String> further = Adapter.paths(graph).filter(path -> !listed.contains(path)).toList();
    if (!further.isEmpty()) {
      throw contradicts(
          "%d of the %d adapters in the graph, without '%s'"
              .formatted(listed.size(), listed.size() + further.size(), further.get(0)));
    }
  }

  private static LoraGraphException contradicts(String what) {
    return new LoraGraphException(
        "the model's '%s' metadata lists %s: inject into the original model again"
            .formatted(KEY, what));
  }

  /** The module paths of a model's adapted Linears, in topological order; none if not injected. */
  public static Set<String> adaptedPaths(OnnxModel model) {
    Set<String> paths = new LinkedHashSet<>();
    of(model).ifPresent(m -> m.targets().forEach(t -> paths.add(t.path())));
    return paths;
  }

  /**
   * The metadata of a model that must have some.
   *
   * @throws LoraGraphException if it has none, or it is malformed or of a newer format
   */
  public static LoraMetadata require(OnnxModel model) {
    return model.namingFile(
        () ->
            of(model)
                .orElseThrow(
                    () ->
                        PeftAdapters.isIn(model)
                            ? new LoraGraphException(
                                "the adapters of the model are PEFT's, from before its export: merge them in Python (merge_and_unload) and export it again")
                            : new LoraGraphException(
                                "the model has no adapters (no '%s' in its metadata)"
                                    .formatted(KEY),
                                Remedy.TAKE_INJECTED)));
  }

  /**
   * Reads the JSON.
   *
   * @throws LoraGraphException if it is malformed or of a newer format
   */
  public static LoraMetadata parse(String json) {
    try {
      JsonNode tree = JSON.readTree(json);
      JsonNode version = tree.path("formatVersion");
      if (!version.isIntegralNumber()) {
        throw malformed("it has no formatVersion", null);
      }
      if (version.longValue() < PLAIN_VERSION || version.longValue() > FORMAT_VERSION) {
        throw new LoraGraphException(
            "the model's '%s' metadata is of format %s, and this version reads %d and %d: use the version that made it, or a newer one"
                .formatted(KEY, version, PLAIN_VERSION, FORMAT_VERSION));
      }
      if (version.longValue() == PLAIN_VERSION && !tree.has(VARIANT)) {
        ((ObjectNode) tree).set(VARIANT, JSON.valueToTree(LoraVariant.PLAIN));
      }
      return JSON.treeToValue(tree, LoraMetadata.class);
    } catch (JsonMappingException e) {
      throw malformed(reason(e), e);
    } catch (JsonProcessingException e) {
      throw malformed("it is no JSON", e);
    }
  }

  /** In the words of the format, where Jackson's message is about Java. */
  private static String reason(JsonMappingException e) {
    StringBuilder place = new StringBuilder();
    for (JsonMappingException.Reference step : e.getPath()) {
      if (step.getFieldName() == null) {
        place.append('[').append(step.getIndex()).append(']');
      } else {
        place.append(place.isEmpty() ? "" : ".").append(step.getFieldName());
      }
    }
    String words = e.getCause() instanceof IllegalArgumentException own ? own.getMessage() : null;
    if (words != null) {
      return words;
    }
    return place.isEmpty()
        ? "it is no such object"
        : "its %s is missing or no such value".formatted(place);
  }

  private static LoraGraphException malformed(String reason, @Nullable Exception cause) {
    return new LoraGraphException(
        "the model's '%s' metadata is malformed (%s): inject into the original model again"
            .formatted(KEY, reason.lines().findFirst().orElse("unreadable")),
        cause);
  }

  /** The same with further trainable parameters. */
  public LoraMetadata withTrainable(Collection<String> names) {
    Set<String> all = new LinkedHashSet<>(trainable);
    all.addAll(names);
    return new LoraMetadata(
        formatVersion,
        toolVersion,
        match,
        rank,
        alpha,
        seed,
        variant,
        targets,
        head,
        List.copyOf(all));
  }

  /**
   * The metadata of the model after a head was put on it: the head is trained with the adapters, as
   * one that was there at the injection is. What the head took the place of is no longer listed.
   *
   * @param before the model without the head
   * @param headed the same with it
   */
  public LoraMetadata withHead(OnnxModel before, OnnxModel headed) {
    Set<String> old = names(before);
    Set<String> now = names(headed);
    List<String> added = now.stream().filter(name -> !old.contains(name)).toList();
    List<String> wholeHead = new ArrayList<>(head);
    wholeHead.retainAll(now);
    wholeHead.addAll(added);
    List<String> trained = new ArrayList<>(trainable);
    trained.retainAll(now);
    trained.addAll(added);
    List<Target> left =
        targets.stream()
            .filter(target -> headed.graph().initializer(target.parameterA()) != null)
            .toList();
    return new LoraMetadata(
        formatVersion, toolVersion, match, rank, alpha, seed, variant, left, wholeHead, trained);
  }

  private static Set<String> names(OnnxModel model) {
    return Parameters.of(model).stream()
        .map(Parameter::name)
        .collect(Collectors.toCollection(LinkedHashSet::new));
  }

  /** The metadata as JSON, on one line. */
  public String toJson() {
    try {
      ObjectNode tree = JSON.valueToTree(this);
      if (formatVersion == PLAIN_VERSION) {
        tree.remove(VARIANT);
      }
      return JSON.writeValueAsString(tree);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** The same model without any metadata about adapters. */
  static OnnxModel removeFrom(OnnxModel model) {
    return model.withMetadata(KEY, null).withMetadata(PEFT_KEY, null);
  }

  /** The same model with this as its metadata. */
  public OnnxModel putInto(OnnxModel model) {
    return model.withMetadata(KEY, toJson());
  }
}
