package io.github.loragraph.ops;

import java.util.List;

/**
 * Operators that are declared in one place: one, or a family whose members differ in a line. This
 * is the service that {@link Operators} looks for: {@code @AutoService(OperatorFamily.class)} on a
 * public class with a public constructor.
 */
@FunctionalInterface
public interface OperatorFamily {
  List<Operator> operators();
}
