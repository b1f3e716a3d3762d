package io.github.loragraph.passes;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.onnx.Graph;
import io.github.loragraph.onnx.Node;
import io.github.loragraph.onnx.OnnxModel;
import io.github.loragraph.onnx.TensorType;
import io.github.loragraph.ops.Operators;
import io.github.loragraph.shape.ShapeInference;
import io.github.loragraph.shape.ShapePropagation;
import io.github.loragraph.shape.ValueTypes;
import java.util.ArrayDeque;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A model and the types of its values. They go along when the model is rewritten ({@link #with}): a
 * value that keeps its name keeps its type, unless whoever changed the model says that it is
 * another value now; one that is new gets its type from the operator that makes it. So a runtime's
 * shape inference, which is a session each time, is asked for the model as it was read, and once
 * more only where an operator could not say ({@link #completed}).
 *
 * <p>Nothing is worked out before it is asked for, and then once. The graph of a typed model is not
 * changed any more once its types were asked for; a pass changes a copy and says {@link #with}.
 */
public final class TypedModel {
  /** For one model and all that it becomes. */
  private static final int MOST_INFERENCES = 2;

  private static final ShapePropagation PROPAGATION = new ShapePropagation(Operators.all());

  private final OnnxModel model;
  private final Inferences inferences;

  /** The types of the values that were there before the model was changed; null at the start. */
  private final @Nullable ValueTypes carried;

  /** As inference said them; null where they are carried. */
  private @Nullable ValueTypes inferred;

  /** Null until they are asked for. */
  private @Nullable ValueTypes types;

  /** A shape inference, and how often it was asked. */
  private static final class Inferences {
    /** Null where nothing more can be known. */
    private final @Nullable ShapeInference inference;

    private int asked;

    /** The values that it was asked of. */
    private final Set<String> seen = new HashSet<>();

    Inferences(@Nullable ShapeInference inference) {
      this.inference = inference;
    }

    boolean isLeft() {
      return inference != null && asked < MOST_INFERENCES;
    }

    ValueTypes infer(OnnxModel model) {
      asked++;
      model.graph().nodes().forEach(node -> seen.addAll(node.outputs()));
      return Objects.requireNonNull(inference).infer(model);
    }
  }

  private TypedModel(OnnxModel model, Inferences inferences, @Nullable ValueTypes carried) {
    this.model = model;
    this.inferences = inferences;
    this.carried = carried;
  }

  /**
   * A model whose types are inferred when they are first asked for.
   *
   * @param inference of a runtime
   */
  public static TypedModel of(OnnxModel model, ShapeInference inference) {
    return new TypedModel(model, new Inferences(inference), null);
  }

  /** A model of which no more is known than what is given. */
  public static TypedModel of(OnnxModel model, ValueTypes known) {
    TypedModel typed = new TypedModel(model, new Inferences(null), known);
    typed.types = known;
    return typed;
  }

  /** A model of which no more is known than what it declares. */
  public static TypedModel declared(OnnxModel model) {
    return of(model, ValueTypes.declared(model.graph()));
  }

  public OnnxModel model() {
    return model;
  }

  public Graph graph() {
    return model.graph();
  }

  /**
   * The types of the values, with a size or a symbol for each dimension of those whose rank is
   * known.
   *
   * @throws io.github.loragraph.error.LoraGraphException if they have to be inferred and the model
   *     is not valid
   */
  public ValueTypes types() {
    if (types == null) {
      types =
          carried == null
              ? PROPAGATION.refine(graph(), inferred())
              : PROPAGATION.complete(graph(), carried).types();
    }
    return types;
  }

  /**
   * The types as inference says them, without symbols of our own, where it was asked for this very
   * model; else what {@link #types} says.
   */
  public ValueTypes inferred() {
    if (carried != null) {
      return types();
    }
    if (inferred == null) {
      inferred = inferences.infer(model);
    }
    return inferred;
  }

  /** What the model became, where each value that has kept its name is what it was. */
  public TypedModel with(OnnxModel changed) {
    return with(changed, Set.of());
  }

  /**
   * What the model became.
   *
   * @param redefined values that have another type under the name that they had: nothing that was
   *     known of them, or of what is computed from them, counts any more
   */
  public TypedModel with(OnnxModel changed, Collection<String> redefined) {
    if (carried == null && types == null && inferred == null) {
      return new TypedModel(changed, inferences, null);
    }
    Set<String> lost = downstream(changed.graph(), redefined);
    inferences.seen.removeAll(lost);
    return new TypedModel(changed, inferences, kept(types(), changed.graph(), redefined, lost));
  }

  /**
   * The same model with no value left untyped, as far as inference can say: it is asked only if the
   * operators could not say the type, or not even the rank, of something that was made since, and
   * at most twice for one model and all that it becomes.
   */
  public TypedModel completed() {
    if (carried == null || !hasUntyped() || !inferences.isLeft()) {
      return this;
    }
    ValueTypes known = types();
    TypedModel completed = new TypedModel(model, inferences, known);
    ValueTypes found = PROPAGATION.refine(graph(), inferences.infer(model));
    Map<String, TensorType> all = new HashMap<>();
    for (String value : found.values()) {
      TensorType after = found.get(value);
      if (after != null && (isComplete(after) || !isComplete(known.get(value)))) {
        all.put(value, after);
      }
    }
    completed.types = known.overriddenBy(new ValueTypes(all));
    return completed;
  }

  /** Whether neither element type or rank of a value is known nor inference was asked for it. */
  private boolean hasUntyped() {
    return graph().nodes().stream()
        .flatMap(node -> node.outputs().stream())
        .filter(value -> !value.isEmpty() && !inferences.seen.contains(value))
        .anyMatch(value -> !isComplete(types().get(value)));
  }

  private static boolean isComplete(@Nullable TensorType type) {
    return type != null && type.elementType() != ElementType.UNDEFINED && type.shape() != null;
  }

  /** What of the types of another graph holds in this one. */
  private static ValueTypes kept(
      ValueTypes types, Graph graph, Collection<String> redefined, Set<String> lost) {
    Map<String, TensorType> kept = new HashMap<>();
    for (String value : types.values()) {
      TensorType type = types.get(value);
      boolean there =
          graph.producer(value) != null || graph.isInput(value) || graph.initializer(value) != null;
      if (there && type != null && !lost.contains(value) && !namesDimensionOf(type, redefined)) {
        kept.put(value, type);
      }
    }
    return new ValueTypes(kept);
  }

  private static Set<String> downstream(Graph graph, Collection<String> values) {
    Set<String> found = new HashSet<>(values);
    Deque<String> open = new ArrayDeque<>(values);
    while (!open.isEmpty()) {
      for (Node reader : graph.consumers(open.pop())) {
        reader.outputs().stream().filter(found::add).forEach(open::push);
      }
    }
    return found;
  }

  /** Whether an open dimension goes by the name of a value that is another one now. */
  private static boolean namesDimensionOf(TensorType type, Collection<String> redefined) {
    return type.shape() != null
        && type.shape().dimensions().stream()
            .anyMatch(
                d ->
                    d.symbol() != null
                        && redefined.stream().anyMatch(v -> d.symbol().contains(v + "#")));
  }
}
