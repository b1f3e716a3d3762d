package io.github.loragraph.ops;

import io.github.loragraph.onnx.ElementType;
import io.github.loragraph.shape.ShapeContext;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * An operator of which only this is known: what it is like, and where its weights are. Nothing is
 * said of its types unless a trait does.
 *
 * @param since the version of its operator set that it came with
 * @param weights the inputs that hold weights
 * @param scaleAndShift those among them that no weight decays in
 */
public record KnownOperator(
    String domain,
    String name,
    int since,
    Set<Trait> traits,
    Set<Integer> weights,
    Set<Integer> scaleAndShift)
    implements Operator {

  /** An operator of the standard set. */
  public static KnownOperator standard(String name, Trait... traits) {
    return new KnownOperator("", name, 1, Set.of(traits), Set.of(), Set.of());
  }

  /** An operator that ONNX Runtime contributes. */
  public static KnownOperator contributed(String name, Trait... traits) {
    return new KnownOperator(Kernels.DOMAIN, name, 1, Set.of(traits), Set.of(), Set.of());
  }

  /** The same, with weights at some inputs. */
  public KnownOperator weights(Integer... inputs) {
    return new KnownOperator(domain, name, since, traits, Set.of(inputs), scaleAndShift);
  }

  /** The same, with scale and shift at some inputs. */
  public KnownOperator scaleAndShift(Integer... inputs) {
    return new KnownOperator(domain, name, since, traits, weights, Set.of(inputs));
  }

  /** The same, that came with a version of the operator set. */
  public KnownOperator since(int version) {
    return new KnownOperator(domain, name, version, traits, weights, scaleAndShift);
  }

  /** That of the first input where it has the first input's shape too; else nothing is said. */
  @Override
  public @Nullable ElementType elementType(int output, ShapeContext c) {
    boolean alike = is(Trait.ELEMENTWISE) || is(Trait.KEEPS_SHAPE);
    return alike && output == 0 ? c.elementType(0) : null;
  }
}
