"""What an expression of the code reads as: its literal words, with `{name}` for what is known only at run time."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_DEPTH = 6
_TEXTS = (ast.Constant, ast.JoinedStr, ast.BinOp, ast.IfExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Scope:
    """A function, or what of a module lies in none, and what its names were last given; `name` is "" for a module.

    `answers` has what each function of the module returns.
    """

    name: str
    body: tuple[ast.stmt, ...]
    values: Mapping[str, ast.expr]
    answers: Mapping[str, tuple[ast.expr, ...]]

    @classmethod
    def all_of(cls, tree: ast.Module) -> Iterator[Scope]:
        """The module and every function in it, each seeing what the module assigns."""
        outer = _assigned(tree.body)
        functions = [node for node in ast.walk(tree) if isinstance(node, _FUNCTIONS)]
        answers = {node.name: _returned(node.body) for node in functions}
        yield cls("", tuple(tree.body), outer, answers)
        for node in functions:
            yield cls(node.name, tuple(node.body), {**outer, **_assigned(node.body)}, answers)

    def calls(self) -> Iterator[ast.Call]:
        """Every call in it, those of the functions within it left out."""
        return (node for node in _inside(self.body) if isinstance(node, ast.Call))


def template(node: ast.expr, scope: Scope, depth: int = _DEPTH) -> str:
    """What `node` reads as in `scope`; of several things that it may read as, all."""
    if depth and (choices := _choices(node, scope)):
        read = [template(each, scope, depth - 1) for each in choices]
        return " / ".join(dict.fromkeys(words for words in read if words))
    match node:
        case ast.Constant(value=str(words)):
            return words
        case ast.JoinedStr(values=parts):
            return "".join(template(part, scope, depth) for part in parts)
        case ast.FormattedValue(value=value):
            return template(value, scope, depth) if isinstance(value, ast.IfExp) else _placeholder(value)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return template(left, scope, depth) + template(right, scope, depth)
    return _placeholder(node)


def _choices(node: ast.expr, scope: Scope) -> tuple[ast.expr, ...]:  # noqa: C901 - a case for each kind of expression
    """The expressions that one stands for: of a name, of a condition, of a table, of a function of this module."""
    match node:
        case ast.IfExp(body=one, orelse=other):
            return one, other
        case ast.BoolOp(values=values):
            return tuple(values)
        case ast.Subscript(value=value, slice=ast.Slice()) if isinstance(value, ast.JoinedStr | ast.BinOp | ast.Name):
            return (value,)
        case ast.Call(func=ast.Attribute(value=(ast.JoinedStr() | ast.BinOp()) as value)):
            return (value,)
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name) as value, attr="format")) if name in scope.values:
            return (value,)
        case ast.Call(func=ast.Name(id="next"), args=[_, fallback]):
            return (fallback,)
        case ast.Name(id=name) if name in scope.values:
            return (scope.values[name],)
        case ast.Subscript(value=ast.Name(id=name)) | ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="get")):
            table = scope.values.get(name)
            rest = node.args[1:] if isinstance(node, ast.Call) else []
            return (*table.values, *rest) if isinstance(table, ast.Dict) else ()
        case ast.Call(func=ast.Name(id=name)):
            told = scope.answers.get(name, ())
            return told if all(isinstance(each, _TEXTS) for each in told) else ()
    return ()


def _placeholder(node: ast.expr) -> str:  # noqa: C901 - a case for each kind of expression
    match node:
        case ast.Name(id=name):
            return f"{{{name.lower().lstrip('_')}}}"
        case ast.Attribute(value=ast.Name(id="self"), attr=name):
            return f"{{{name.lstrip('_')}}}"
        case ast.Attribute(value=ast.Name(id=owner), attr=name):
            return f"{{{owner}.{name}}}".replace("{error.", "{its ")
        case ast.Attribute(attr=name):
            return f"{{{name}}}"
        case ast.Subscript(value=value):
            return _placeholder(value)
        case ast.Call(args=[first, *_]) if isinstance(first, ast.Name | ast.Attribute):
            return _placeholder(first)
        case ast.Call(func=ast.Attribute(attr=name)):
            return f"{{{name.lstrip('_')}}}"
        case ast.BinOp(left=first) | ast.BoolOp(values=[first, *_]) | ast.UnaryOp(operand=first):
            return _placeholder(first)
    return "{…}"


def _returned(body: list[ast.stmt]) -> tuple[ast.expr, ...]:
    found = (node.value for node in _inside(tuple(body)) if isinstance(node, ast.Return) and node.value)
    return tuple(sorted(found, key=lambda node: node.lineno))


def _assigned(body: list[ast.stmt]) -> dict[str, ast.expr]:
    found: dict[str, ast.expr] = {}
    for node in _inside(tuple(body)):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, node.value)
                elif isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                    pairs = zip(target.elts, node.value.elts, strict=False)
                    found |= {each.id: value for each, value in pairs if isinstance(each, ast.Name)}
    return found


def _inside(body: tuple[ast.stmt, ...]) -> Iterator[ast.AST]:
    waiting: list[ast.AST] = list(body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _FUNCTIONS):
            continue
        yield node
        waiting += ast.iter_child_nodes(node)
